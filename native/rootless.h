/* An engine without root rights: its namespaces (rootless.c), and what comes to ports of the host from outside of them (ports.c, relay.c and what they call). */
#ifndef ROOTLESS_H
#define ROOTLESS_H
#include "system.h"
#include <netinet/in.h>
#include <sys/epoll.h>

/* What is sent to containers in a client's name, and what they answer: by marks the kernel knows it (src/engine/networks/relay.ts has them too). */
enum { MARK_SENT = 0x74736f, MARK_ANSWER = 0x747362 };

/* Of an engine (src/engine/networks/relay.ts), and between the two processes. IPv4 is written as IPv6 has it, ::ffff:1.2.3.4. */
enum { PORT_OPEN = 1, PORT_LEAD = 2, PORT_CLOSE = 3, PORT_SETTLE = 4, PORT_END = 5 };
struct port_request {
  uint32_t verb, id;
  uint16_t protocol, port, to_port, spare;
  uint8_t address[16], to[16];
};
/* `result`: the port's number among those that are open, or -errno. */
struct port_answer {
  int32_t result;
  uint32_t port;
};

/* What an event is about; each of these begins with it. */
enum kind { KIND_ENTRY, KIND_LISTENER, KIND_ENGINE, KIND_PORT, KIND_SIDE, KIND_SESSION };

struct session;
struct port {
  enum kind kind;
  int fd;
  uint32_t id;
  bool claimed; /* by the engine that is connected now */
  struct port_request asked;
  struct session *sessions;
  int clients;
  struct port *next;
};

/* furnish.c; `what` is what failed, `other` a process of ours that goes where we go */
int become_root(void);
int furnish(const char *resolv, pid_t other, const char **what);
int join_group_of(pid_t pid);

/* Outside: opens what is asked for by the other end, until that has ended. */
int open_ports(int asked);
/* Inside: serves the engines that connect, one after the other, and relays what comes. */
int relay_ports(const int listeners[2], int outside);
/* Answers to whom a relay has spoken for come back to the relay, and do not leave. */
int route_answers(void);

/* connections.c; `go_on` tells whether there is more to do at once */
void take_connections(int epoll, const struct port *port);
void side_event(void *side);
bool go_on(void);
void bury_connections(void);
/* datagrams.c */
#define ALL ((time_t)-1)
void take_datagrams(int epoll, struct port *port);
void answer_datagrams(struct session *session);
/* Those with nothing since then. */
void end_sessions(struct port *port, time_t before);
void bury_sessions(void);
/* ports.c */
bool is_four(const uint8_t address[16]);
socklen_t socket_address(const uint8_t address[16], uint16_t port, struct sockaddr_storage *out);
void plain_address(const struct sockaddr_storage *from, uint8_t address[16], uint16_t *port);
int ask_outside(int outside, const struct port_request *request, uint32_t *port);
/* towards.c */
int towards(const struct port *port, const struct sockaddr_storage *client, int type);

static inline time_t now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return at.tv_sec;
}

static inline int watch_for(int epoll, int fd, uint32_t events, void *what) {
  struct epoll_event event = {.events = events, .data.ptr = what};
  return NEG(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
}

#endif
