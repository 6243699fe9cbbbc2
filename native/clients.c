/* Whoever talks to the monitor: the engine that started it, the one that came after, each attached terminal. */
#include "supervise.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

bool reserve(struct buffer *b, size_t more) {
  if (b->start && b->start + b->length + more > b->capacity) {
    memmove(b->data, b->data + b->start, b->length);
    b->start = 0;
  }
  if (b->length + more <= b->capacity) return true;
  size_t capacity = b->capacity ? b->capacity : 4096;
  while (capacity < b->length + more) capacity *= 2;
  char *data = realloc(b->data, capacity);
  if (!data) return false;
  b->data = data;
  b->capacity = capacity;
  return true;
}

static void append(struct buffer *b, const void *data, size_t length) {
  memcpy(b->data + b->start + b->length, data, length);
  b->length += length;
}

/* 0600 from its first moment; by a name relative to its folder, since socket paths are short (108 bytes); there once it is listened to. */
static int listen_here(struct supervisor *m) {
  struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = ".control.sock"};
  int folder = m->settings.directory;
  if (fchdir(folder)) return -errno;
  m->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (m->listener < 0) return -errno;
  unlinkat(folder, name.sun_path, 0);
  mode_t before = umask(0177);
  int error = NEG(bind(m->listener, (struct sockaddr *)&name, sizeof name));
  umask(before);
  if (!error) error = NEG(listen(m->listener, 64));
  return error ? error : NEG(renameat(folder, name.sun_path, folder, "control.sock"));
}

int listen_for_clients(struct supervisor *m) {
  unlinkat(m->settings.directory, "exit.json", 0);
  return listen_here(m);
}

/* Where the engine looks for it, whatever has become of the folder and the socket that were there. */
int listen_again(struct supervisor *m) {
  int error = find_directory(&m->settings);
  close_it(&m->listener);
  m->listener = -1;
  if (!error) error = listen_here(m);
  if (!error) return 0;
  close_it(&m->listener);
  m->listener = -1;
  return error;
}

void add_client(struct supervisor *m, int fd, int attach) {
  if (m->client_count == MAX_CLIENTS) {
    close(fd);
    return;
  }
  fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK);
  m->clients[m->client_count++] = (struct client){.fd = fd, .attach = attach};
}

void drop_client(struct supervisor *m, int index) {
  struct client *c = &m->clients[index];
  close(c->fd);
  free(c->out.data);
  free(c->in.data);
  m->clients[index] = m->clients[--m->client_count];
}

void send_frame(struct client *c, enum report type, const void *data, uint32_t length) {
  char head[5] = {(char)type};
  memcpy(head + 1, &length, 4);
  if (!reserve(&c->out, sizeof head + length)) return;
  append(&c->out, head, sizeof head);
  append(&c->out, data, length);
}

void send_started(struct supervisor *m, struct client *c) {
  struct __attribute__((packed)) {
    uint32_t pid;
    uint64_t time;
  } report = {(uint32_t)m->pid, (uint64_t)m->started.tv_sec * 1000000000u + (uint64_t)m->started.tv_nsec};
  send_frame(c, FROM_STARTED, &report, sizeof report);
}

void send_exited(struct supervisor *m, struct client *c) {
  struct __attribute__((packed)) {
    uint32_t code, signal, oom;
    uint64_t time;
  } report = {(uint32_t)m->status_code, (uint32_t)m->status_signal, m->oom,
              (uint64_t)m->finished.tv_sec * 1000000000u + (uint64_t)m->finished.tv_nsec};
  send_frame(c, FROM_EXITED, &report, sizeof report);
}

void accept_client(struct supervisor *m) {
  int fd = RETRY(accept4(m->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));
  struct ucred peer;
  socklen_t size = sizeof peer;
  if (fd < 0) return;
  /* The folder keeps others out already; a descriptor that leaked would not be stopped by it. */
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) || peer.uid != geteuid()) {
    close(fd);
    return;
  }
  int before = m->client_count;
  add_client(m, fd, 0);
  if (m->client_count == before) return;
  send_started(m, &m->clients[before]);
  if (m->exited) send_exited(m, &m->clients[before]);
}

static void resize(struct supervisor *m, const char *data) {
  uint16_t size[2];
  memcpy(size, data, sizeof size);
  struct winsize window = {.ws_row = size[0], .ws_col = size[1]};
  if (m->settings.stdio & STDIO_TERMINAL) ioctl(m->input, TIOCSWINSZ, &window);
}

static bool take_frame(struct supervisor *m, struct client *c, int type, const char *data, uint32_t length) {
  uint32_t signal;
  switch (type) {
    case TO_SIGNAL:
      if (length != sizeof signal) return false;
      memcpy(&signal, data, sizeof signal);
      if (!m->exited) syscall(SYS_pidfd_send_signal, m->pidfd, (int)signal, NULL, 0);
      return true;
    case TO_RESIZE:
      if (length != 4) return false;
      resize(m, data);
      return true;
    case TO_ATTACH:
      if (length != 1) return false;
      c->attach = data[0];
      return true;
    case TO_STDIN:
      if (m->exited || !(c->attach & ATTACH_STDIN) || m->input < 0 || m->stdin_ended) return true;
      if (reserve(&m->stdin_buffer, length)) append(&m->stdin_buffer, data, length);
      return true;
    case TO_STDIN_END:
      /* A terminal has no end to close: ^D is a character. */
      if (c->attach & ATTACH_STDIN && (m->settings.stdio & (STDIO_ONCE | STDIO_TERMINAL)) == STDIO_ONCE) m->stdin_ended = true;
      return true;
    default: return false;
  }
}

/* False when the client is gone or speaks something else. Input waits in the socket while the process does not take it. */
bool read_client(struct supervisor *m, struct client *c) {
  if (!reserve(&c->in, FRAME)) return false;
  ssize_t n = RETRY(read(c->fd, c->in.data + c->in.start + c->in.length, FRAME));
  if (n <= 0) return n < 0 && errno == EAGAIN;
  c->in.length += (size_t)n;
  while (c->in.length >= 5) {
    const char *frame = c->in.data + c->in.start;
    uint32_t length;
    memcpy(&length, frame + 1, 4);
    if (length > FRAME) return false;
    if (c->in.length < 5 + length) return true;
    if (!take_frame(m, c, frame[0], frame + 5, length)) return false;
    c->in.start += 5 + length;
    c->in.length -= 5 + length;
  }
  return true;
}

bool flush_client(struct client *c) {
  while (c->out.length) {
    ssize_t n = RETRY(send(c->fd, c->out.data + c->out.start, c->out.length, MSG_NOSIGNAL));
    if (n < 0) return errno == EAGAIN;
    c->out.start += (size_t)n;
    c->out.length -= (size_t)n;
  }
  c->out.start = 0;
  return true;
}
