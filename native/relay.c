/* Which ports are open, by the word of the engine, and what is to be done of all that happens to them. */
#include "rootless.h"
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

struct keeper {
  int epoll, outside, engine;
  uint32_t last;
  struct port *ports, *gone;
};

static struct port *found(const struct keeper *k, uint32_t id) {
  struct port *port = k->ports;
  while (port && port->id != id) port = port->next;
  return port;
}

static void lead(struct port *port, const struct port_request *asked) {
  /* who sends on comes by a new way */
  end_sessions(port, ALL);
  memcpy(port->asked.to, asked->to, sizeof asked->to);
  port->asked.to_port = asked->to_port;
  port->claimed = true;
}

static void close_port(struct keeper *k, struct port *gone) {
  struct port **at = &k->ports;
  while (*at != gone) at = &(*at)->next;
  *at = gone->next;
  end_sessions(gone, ALL);
  close(gone->fd);
  gone->fd = -1;
  gone->next = k->gone;
  k->gone = gone;
}

/* One that an engine before has opened is taken over as it is. */
static struct port_answer open_one(struct keeper *k, const struct port_request *asked) {
  for (struct port *port = k->ports; port; port = port->next) {
    if (port->claimed || port->asked.protocol != asked->protocol || port->asked.port != asked->port) continue;
    if (memcmp(port->asked.address, asked->address, 16)) continue;
    lead(port, asked);
    return (struct port_answer){(int32_t)port->id, port->asked.port};
  }
  struct port *port = calloc(1, sizeof *port);
  if (!port) return (struct port_answer){-ENOMEM, 0};
  uint32_t number = 0;
  int error = port->fd = ask_outside(k->outside, asked, &number);
  if (error >= 0) error = watch_for(k->epoll, port->fd, EPOLLIN, port);
  if (error < 0) {
    if (port->fd >= 0) close(port->fd);
    free(port);
    return (struct port_answer){error, 0};
  }
  port->kind = KIND_PORT;
  port->asked = *asked;
  port->asked.port = (uint16_t)number;
  port->claimed = true;
  port->id = ++k->last & 0x7fffffff;
  port->next = k->ports;
  k->ports = port;
  return (struct port_answer){(int32_t)port->id, number};
}

static struct port_answer served(struct keeper *k, const struct port_request *asked) {
  if (asked->verb == PORT_OPEN) return open_one(k, asked);
  /* nobody uses the namespaces any more: with us goes what keeps them, and the way out */
  if (asked->verb == PORT_END) _exit(0);
  if (asked->verb == PORT_SETTLE) {
    for (struct port *port = k->ports, *next; port; port = next) {
      next = port->next;
      if (!port->claimed) close_port(k, port);
    }
    return (struct port_answer){0};
  }
  struct port *port = found(k, asked->id);
  if (!port) return (struct port_answer){-ENOENT, 0};
  if (asked->verb == PORT_LEAD) lead(port, asked);
  else if (asked->verb == PORT_CLOSE) close_port(k, port);
  else return (struct port_answer){-EINVAL, 0};
  return (struct port_answer){0};
}

/* Whole requests only: an engine that is killed in the middle of one has asked for nothing. What is not there yet is not waited for. */
static bool serve(struct keeper *k) {
  struct port_request request;
  ssize_t n = RETRY(recv(k->engine, &request, sizeof request, MSG_PEEK | MSG_DONTWAIT));
  if (n != sizeof request) return n > 0 || (n < 0 && errno == EAGAIN);
  if (RETRY(recv(k->engine, &request, sizeof request, 0)) != sizeof request) return false;
  struct port_answer answer = served(k, &request);
  return RETRY(send(k->engine, &answer, sizeof answer, MSG_NOSIGNAL)) == sizeof answer;
}

/* The one before has ended, or is about to: what it opened stays until this one settles. */
static void welcome(struct keeper *k, int listener) {
  static enum kind kind = KIND_ENGINE;
  struct ucred peer;
  socklen_t size = sizeof peer;
  int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  if (fd < 0) return;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) || peer.uid || watch_for(k->epoll, fd, EPOLLIN, &kind)) {
    close(fd);
    return;
  }
  close_it(&k->engine);
  k->engine = fd;
  for (struct port *port = k->ports; port; port = port->next) port->claimed = false;
}

/* Seconds without a datagram after which a client's way back is given up. */
#define IDLE 90

static void happened(struct keeper *k, void *what, const int listeners[2]) {
  struct port *port = what;
  switch (*(enum kind *)what) {
    /* whoever enters the namespaces has seen by now who holds them */
    case KIND_ENTRY: close(accept4(listeners[0], NULL, NULL, SOCK_CLOEXEC)); break;
    case KIND_LISTENER: welcome(k, listeners[1]); break;
    case KIND_ENGINE:
      if (k->engine >= 0 && serve(k)) break;
      close_it(&k->engine);
      k->engine = -1;
      break;
    case KIND_PORT:
      if (port->fd < 0) break;
      if (port->asked.protocol == IPPROTO_TCP) take_connections(k->epoll, port);
      else take_datagrams(k->epoll, port);
      break;
    case KIND_SIDE: side_event(what); break;
    case KIND_SESSION: answer_datagrams(what); break;
  }
}

int relay_ports(const int listeners[2], int outside) {
  struct keeper k = {.epoll = epoll_create1(EPOLL_CLOEXEC), .outside = outside, .engine = -1};
  static enum kind entry = KIND_ENTRY, listener = KIND_LISTENER;
  if (k.epoll < 0 || watch_for(k.epoll, listeners[0], EPOLLIN, &entry) || watch_for(k.epoll, listeners[1], EPOLLIN, &listener)) return 1;
  for (;;) {
    struct epoll_event events[64];
    bool busy = go_on();
    int n = RETRY(epoll_wait(k.epoll, events, 64, busy ? 0 : 10000));
    for (int i = 0; i < n; i++) happened(&k, events[i].data.ptr, listeners);
    for (struct port *each = k.ports; each; each = each->next) end_sessions(each, now() - IDLE);
    /* events may have been of what has ended since */
    bury_connections();
    bury_sessions();
    for (struct port *port = k.gone, *next; port; port = next) {
      next = port->next;
      free(port);
    }
    k.gone = NULL;
  }
}
