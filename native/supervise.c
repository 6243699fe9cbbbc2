/* The life of a started process: its output into the log and to clients, its input, its end. */
#include "supervise.h"
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* With a terminal the child opens its own and sends it; otherwise pipes, which a non-root user may reopen as /dev/stdout. */
int prepare_stdio(struct supervisor *m, int child[3]) {
  int null = open("/dev/null", O_RDWR | O_CLOEXEC), pair[2];
  if (null < 0) return -errno;
  for (int i = 0; i < 3; i++) child[i] = null;
  if (m->settings.stdio & STDIO_TERMINAL) return 0;
  for (int i = 0; i < 3; i++) {
    if (i == 0 && !(m->settings.stdio & STDIO_STDIN)) continue;
    if (pipe2(pair, O_CLOEXEC) || fchown(pair[0], (uid_t)m->settings.uid, (gid_t)-1)) return -errno;
    int ours = i ? pair[0] : pair[1];
    if (fcntl(ours, F_SETFL, O_NONBLOCK | (i ? O_RDONLY : O_WRONLY))) return -errno;
    child[i] = i ? pair[1] : pair[0];
    if (i) m->streams[i - 1].fd = ours;
    else m->input = ours;
  }
  return 0;
}

static bool output_blocked(const struct supervisor *m) {
  for (int i = 0; i < m->client_count; i++)
    if (m->clients[i].attach & (ATTACH_STDOUT | ATTACH_STDERR) && m->clients[i].out.length >= CLIENT_BUFFER) return true;
  return false;
}

/* How much was there; 0 at the end of the stream, or when nothing is there now. */
static size_t take_output(struct supervisor *m, struct stream *s) {
  char data[FRAME];
  ssize_t n = RETRY(read(s->fd, data, sizeof data));
  if (n <= 0) {
    if (n == 0 || errno != EAGAIN) {
      close(s->fd);
      if (m->input == s->fd) m->input = -1; /* a terminal is both */
      s->fd = -1;
    }
    return 0;
  }
  log_output(m, s, data, (size_t)n);
  int wanted = s->frame == FROM_STDOUT ? ATTACH_STDOUT : ATTACH_STDERR;
  for (int i = 0; i < m->client_count; i++)
    if (m->clients[i].attach & wanted) send_frame(&m->clients[i], s->frame, data, (uint32_t)n);
  return (size_t)n;
}

static void give_input(struct supervisor *m) {
  struct buffer *b = &m->stdin_buffer;
  if (b->length && m->input >= 0) {
    ssize_t n = RETRY(write(m->input, b->data + b->start, b->length));
    if (n < 0 && errno == EAGAIN) return;
    if (n < 0) n = (ssize_t)b->length; /* the process has closed its end */
    b->start += (size_t)n;
    b->length -= (size_t)n;
  }
  if (b->length || !m->stdin_ended || m->input < 0) return;
  close(m->input);
  m->input = -1;
}

static void child_ended(struct supervisor *m) {
  siginfo_t info = {0};
  if (RETRY(waitid(P_PIDFD, (id_t)m->pidfd, &info, WEXITED)) < 0) return;
  clock_gettime(CLOCK_REALTIME, &m->finished);
  m->exited = true;
  m->status_signal = info.si_code == CLD_EXITED ? 0 : info.si_status;
  m->status_code = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

static bool is_gone(int folder) {
  struct stat st;
  return !fstat(folder, &st) && !st.st_nlink;
}

/* An engine that was told, and then removed the folder, knows. Otherwise whoever comes later finds it written down, or us. */
static void record_exit(struct supervisor *m) {
  struct settings *s = &m->settings;
  bool gone = is_gone(s->directory), asked = s->lasting && !m->told;
  if (gone && asked && find_directory(s) == 0) gone = false;
  if (!write_exit(m) && s->lasting && (asked || !gone)) return;
  m->unrecorded = false;
  unlinkat(s->directory, "control.sock", 0);
  close_it(&m->listener);
  m->listener = -1;
}

/*
 * All output is in the log and with the clients before anyone hears of the exit: what the kernel held when it came. What others
 * that have the stream go on writing would have no end.
 */
static void finish(struct supervisor *m) {
  if (m->terminal_peer >= 0) close(m->terminal_peer);
  m->terminal_peer = -1;
  for (int i = 0; i < 2; i++) {
    size_t n = 1;
    for (size_t taken = 0; n && taken < PIPE_LIMIT && m->streams[i].fd >= 0; taken += n) n = take_output(m, &m->streams[i]);
    log_rest(m, &m->streams[i]);
  }
  read_oom(m);
  m->unrecorded = true;
  record_exit(m);
  for (int i = 0; i < m->client_count; i++) send_exited(m, &m->clients[i]);
}

enum { POLL_CHILD, POLL_LISTEN, POLL_INPUT, POLL_WAKE, POLL_STREAMS, POLL_CLIENTS = POLL_STREAMS + 2 };

static int fill(struct supervisor *m, struct pollfd *p) {
  bool blocked = output_blocked(m);
  p[POLL_CHILD] = (struct pollfd){m->exited ? -1 : m->pidfd, POLLIN, 0};
  p[POLL_LISTEN] = (struct pollfd){m->listener, POLLIN, 0};
  p[POLL_WAKE] = (struct pollfd){m->wake, POLLIN, 0};
  p[POLL_INPUT] = (struct pollfd){m->stdin_buffer.length || (m->stdin_ended && m->input >= 0) ? m->input : -1, POLLOUT, 0};
  for (int i = 0; i < 2; i++) p[POLL_STREAMS + i] = (struct pollfd){blocked ? -1 : m->streams[i].fd, POLLIN, 0};
  for (int i = 0; i < m->client_count; i++) {
    struct client *c = &m->clients[i];
    bool full = !m->exited && c->attach & ATTACH_STDIN && m->stdin_buffer.length >= FRAME;
    p[POLL_CLIENTS + i] = (struct pollfd){c->fd, (short)((full ? 0 : POLLIN) | (c->out.length ? POLLOUT : 0)), 0};
  }
  return POLL_CLIENTS + m->client_count;
}

static void serve_clients(struct supervisor *m, const struct pollfd *p) {
  for (int i = m->client_count - 1; i >= 0; i--) {
    short events = p[POLL_CLIENTS + i].revents;
    bool alive = !(events & POLLIN) || read_client(m, &m->clients[i]);
    if (alive && !(events & POLLIN) && events & (POLLHUP | POLLERR)) alive = false;
    if (alive && m->clients[i].out.length) alive = flush_client(&m->clients[i]);
    /* Not closed: a frame still sent to us would fail, and what the other side has not read yet be thrown away with its socket. */
    if (alive && m->exited && !m->clients[i].out.length) {
      shutdown(m->clients[i].fd, SHUT_WR);
      m->told = true;
    }
    if (!alive) drop_client(m, i);
  }
}

/* SIGUSR1, which is blocked, as something to poll for; without it we go on, and can be reached as long as our socket is there. */
static int open_wake(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* An engine that cannot reach us asks for a socket. One that cannot be made now, it will ask for again. */
static void take_wake(struct supervisor *m) {
  struct signalfd_siginfo info;
  if (RETRY(read(m->wake, &info, sizeof info)) > 0 && (!m->exited || m->unrecorded)) listen_again(m);
}

int supervise(struct supervisor *m) {
  struct pollfd p[POLL_CLIENTS + MAX_CLIENTS];
  m->wake = open_wake();
  while (!m->exited || m->client_count || m->unrecorded) {
    int count = fill(m, p);
    /* Space on a disk is announced by nobody. */
    if (poll(p, (nfds_t)count, m->unrecorded ? RECORD_AGAIN : -1) < 0 && errno != EINTR) return -errno;
    if (m->unrecorded) record_exit(m);
    serve_clients(m, p);
    for (int i = 0; i < 2 && !m->exited; i++)
      if (p[POLL_STREAMS + i].revents) take_output(m, &m->streams[i]);
    if (p[POLL_INPUT].revents || m->stdin_ended) give_input(m);
    if (p[POLL_LISTEN].revents && m->listener >= 0) accept_client(m);
    if (p[POLL_WAKE].revents) take_wake(m);
    if (p[POLL_CHILD].revents) {
      child_ended(m);
      if (m->exited) finish(m);
    }
  }
  return 0;
}
