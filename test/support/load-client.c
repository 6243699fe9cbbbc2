/*
 * Asks a web server for "/" again and again, at a fixed rate whatever it answers, until standard input ends.
 *   load-client HOST PORT RATE short|kept      a connection each, or as few as will do, kept open
 * Prints lines of JSON: a string for each answer that it has not had before, at the end what came of it all (Load, in load-client.ts).
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Milliseconds. None is left idle for as long as a server that ends lets it be: its end would cross the next request. */
#define TICK 5
#define LONGEST_IDLE 1000
#define LONGEST 30000
#define CONNECTIONS 4096
#define KINDS 64

struct connection {
  enum { FREE, CONNECTING, WAITING, IDLE } state;
  int fd;
  /* when its request was due, or when it was answered */
  double since;
  size_t size;
  char text[8192];
};

struct count {
  char *what;
  long times;
};

static struct connection connections[CONNECTIONS];
/* one more than the highest that was ever taken */
static int taken, open_requests, poller, kept;
static long sent, answered, room;
static struct count answers[KINDS], errors[KINDS];
static double *times;
static struct addrinfo *server;
static char request[128];

static double now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (double)at.tv_sec * 1e3 + (double)at.tv_nsec / 1e6;
}

static void print_string(const char *text) {
  putchar('"');
  for (; *text; text++)
    if (*text == '"' || *text == '\\') printf("\\%c", *text);
    else if ((unsigned char)*text < ' ') printf("\\u%04x", *text);
    else putchar(*text);
  putchar('"');
}

static void print_counts(const char *name, const struct count *table) {
  printf(",\"%s\":{", name);
  for (int i = 0; i < KINDS && table[i].what; i++) {
    if (i) putchar(',');
    print_string(table[i].what);
    printf(":%ld", table[i].times);
  }
  putchar('}');
}

/* Whether it is the first of its kind. */
static int count(struct count *table, const char *what) {
  for (int i = 0; i < KINDS; i++) {
    if (!table[i].what) table[i].what = strdup(what);
    else if (strcmp(table[i].what, what)) continue;
    return ++table[i].times == 1;
  }
  errx(2, "more than %d kinds of answers", KINDS);
}

static void close_connection(struct connection *it) {
  close(it->fd);
  it->state = FREE;
}

static void failed(struct connection *it, const char *why) {
  count(errors, why);
  open_requests--;
  close_connection(it);
}

static void write_request(struct connection *it) {
  size_t size = strlen(request);
  struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = it};
  it->state = WAITING;
  it->size = 0;
  /* so little is taken as a whole or not at all */
  if (send(it->fd, request, size, MSG_NOSIGNAL) != (ssize_t)size) failed(it, strerrorname_np(errno));
  else if (epoll_ctl(poller, EPOLL_CTL_MOD, it->fd, &wanted)) err(2, "epoll_ctl");
}

/* That which has been idle longest. */
static struct connection *idle_one(void) {
  struct connection *found = NULL;
  for (struct connection *it = connections; it < connections + taken; it++)
    if (it->state == IDLE && (!found || it->since < found->since)) found = it;
  return found;
}

static struct connection *free_one(void) {
  for (int i = 0; i < CONNECTIONS; i++)
    if (connections[i].state == FREE) {
      if (i >= taken) taken = i + 1;
      return &connections[i];
    }
  errx(2, "more than %d requests wait", CONNECTIONS);
}

static void ask(void) {
  struct connection *it = kept ? idle_one() : NULL;
  sent++;
  open_requests++;
  if (it) {
    it->since = now();
    write_request(it);
    return;
  }
  it = free_one();
  it->since = now();
  it->state = CONNECTING;
  it->fd = socket(server->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct epoll_event wanted = {.events = EPOLLOUT, .data.ptr = it};
  if (it->fd < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, it->fd, &wanted)) err(2, "socket");
  if (connect(it->fd, server->ai_addr, server->ai_addrlen) && errno != EINPROGRESS) failed(it, strerrorname_np(errno));
}

/* The body of chunks that are all there (RFC 9112, section 7.1); NULL before. */
static char *joined(const char *at) {
  static char whole[sizeof connections->text];
  for (size_t size = 0;;) {
    char *after;
    size_t part = strtoul(at, &after, 16);
    if (!(after = strstr(after, "\r\n"))) return NULL;
    whole[size] = 0;
    if (part == 0) return strstr(after, "\r\n\r\n") ? whole : NULL;
    if (strlen(after + 2) < part + 2) return NULL;
    memcpy(whole + size, after + 2, part);
    size += part;
    at = after + 2 + part + 2;
  }
}

/* The body of an answer that is there whole, its head ended by a zero; NULL before. One that only the end of the connection ends is none. */
static char *whole_answer(struct connection *it) {
  it->text[it->size] = 0;
  char *end = strstr(it->text, "\r\n\r\n"), *length = strcasestr(it->text, "\r\nContent-Length:"), *body = NULL;
  if (!end) return NULL;
  if (!length || length > end) body = joined(end + 4);
  else {
    unsigned long size = strtoul(length + strlen("\r\nContent-Length:"), NULL, 10);
    if (strlen(end + 4) >= size) body = end + 4, body[size] = 0;
  }
  if (body) *end = 0;
  return body;
}

static void settle(struct connection *it, const char *body) {
  char status[4] = "";
  sscanf(it->text, "HTTP/1.%*c %3s", status);
  if (answered == room && !(times = realloc(times, (size_t)(room += 4096) * sizeof *times))) err(2, "realloc");
  if (strcmp(status, "200")) count(errors, status);
  else {
    times[answered++] = now() - it->since;
    if (count(answers, body)) print_string(body), putchar('\n'), fflush(stdout);
  }
  open_requests--;
  it->since = now();
  it->state = IDLE;
  if (!kept || strcasestr(it->text, "\r\nConnection: close")) close_connection(it);
}

static void take(struct connection *it) {
  if (it->state == IDLE) return close_connection(it);
  if (it->state == CONNECTING) {
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(it->fd, SOL_SOCKET, SO_ERROR, &error, &size)) err(2, "getsockopt");
    return error ? failed(it, strerrorname_np(error)) : write_request(it);
  }
  ssize_t got = recv(it->fd, it->text + it->size, sizeof it->text - 1 - it->size, 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got < 0) return failed(it, strerrorname_np(errno));
  if (got == 0) return failed(it, it->size == sizeof it->text - 1 ? "too long" : it->size ? "cut off" : "hung up");
  it->size += (size_t)got;
  char *body = whole_answer(it);
  if (body) settle(it, body);
}

static void give_up_old(void) {
  double at = now();
  for (struct connection *it = connections; it < connections + taken; it++)
    if (it->state == IDLE && at - it->since > LONGEST_IDLE) close_connection(it);
    else if (it->state != FREE && it->state != IDLE && at - it->since > LONGEST) failed(it, "ETIMEDOUT");
}

static int by_size(const void *one, const void *other) {
  double a = *(const double *)one, b = *(const double *)other;
  return (a > b) - (a < b);
}

static double at(double part) {
  return answered ? times[(long)((double)(answered - 1) * part)] : 0;
}

static void print_load(void) {
  if (answered) qsort(times, (size_t)answered, sizeof *times, by_size);
  printf("{\"sent\":%ld,\"answered\":%ld", sent, answered);
  print_counts("errors", errors);
  print_counts("answers", answers);
  printf(",\"median\":%.1f,\"p99\":%.1f,\"longest\":%.1f}\n", at(0.5), at(0.99), at(1));
}

int main(int argc, char **argv) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
  if (argc != 5 || getaddrinfo(argv[1], argv[2], &hints, &server)) errx(2, "HOST PORT RATE short|kept");
  kept = !strcmp(argv[4], "kept");
  snprintf(request, sizeof request, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: %s\r\n\r\n",
           kept ? "keep-alive" : "close");
  struct epoll_event input = {.events = EPOLLIN};
  poller = epoll_create1(EPOLL_CLOEXEC);
  if (poller < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, 0, &input)) err(2, "epoll");
  double began = now(), rate = atof(argv[3]);
  for (int over = 0; !over || open_requests > 0;) {
    struct epoll_event ready[64];
    char ignored[64];
    int found = epoll_wait(poller, ready, 64, TICK);
    if (found < 0 && errno != EINTR) err(2, "epoll_wait");
    for (int i = 0; i < found; i++)
      if (ready[i].data.ptr) take(ready[i].data.ptr);
      else if (read(0, ignored, sizeof ignored) == 0) over = !epoll_ctl(poller, EPOLL_CTL_DEL, 0, NULL);
    give_up_old();
    while (!over && (double)sent < (now() - began) / 1e3 * rate) ask();
  }
  print_load();
  return 0;
}
