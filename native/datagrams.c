/* Datagrams from clients of the host to containers, and the answers: each client has a socket of its own towards the container. */
#include "rootless.h"
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

/* Clients of a port at once: who sends from ever new ports does not use up all descriptors. */
#define MOST 1024
#define TAKEN 64

/* The address that was asked, from which answers leave. */
union local {
  struct cmsghdr header;
  char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

struct session {
  enum kind kind;
  int fd;
  time_t last;
  struct port *port;
  struct sockaddr_storage client;
  socklen_t client_size;
  union local local;
  size_t local_size;
  struct session *next;
};

static char bytes[65536];
static struct session *ended;

static void end(struct session **at) {
  struct session *s = *at;
  *at = s->next;
  s->port->clients--;
  close(s->fd);
  s->fd = -1;
  s->next = ended;
  ended = s;
}

void end_sessions(struct port *port, time_t before) {
  for (struct session **at = &port->sessions; *at;)
    if (before == ALL || (*at)->last < before) end(at);
    else at = &(*at)->next;
}

void bury_sessions(void) {
  while (ended) {
    struct session *s = ended;
    ended = s->next;
    free(s);
  }
}

/* The newest come first, so that the last is the one that has been there longest. */
static struct session *session_of(int epoll, struct port *port, const struct sockaddr_storage *client, socklen_t size) {
  struct session **at = &port->sessions;
  for (; *at; at = &(*at)->next) {
    if ((*at)->client_size == size && !memcmp(&(*at)->client, client, size)) return *at;
    if (port->clients >= MOST && !(*at)->next) {
      end(at);
      break;
    }
  }
  struct session *s = calloc(1, sizeof *s);
  if (!s) return NULL;
  *s = (struct session){.kind = KIND_SESSION, .port = port, .client = *client, .client_size = size, .next = port->sessions};
  s->fd = towards(port, client, SOCK_DGRAM);
  if (s->fd < 0 || watch_for(epoll, s->fd, EPOLLIN, s)) {
    if (s->fd >= 0) close(s->fd);
    free(s);
    return NULL;
  }
  port->sessions = s;
  port->clients++;
  return s;
}

void take_datagrams(int epoll, struct port *port) {
  for (int i = 0; i < TAKEN; i++) {
    struct sockaddr_storage client = {0};
    union local local;
    struct iovec part = {bytes, sizeof bytes};
    struct msghdr message = {.msg_name = &client, .msg_namelen = sizeof client, .msg_iov = &part, .msg_iovlen = 1,
                             .msg_control = local.bytes, .msg_controllen = sizeof local.bytes};
    ssize_t n = recvmsg(port->fd, &message, 0);
    if (n < 0) return;
    struct session *s = session_of(epoll, port, &client, message.msg_namelen);
    if (!s) continue;
    s->last = now();
    s->local = local;
    s->local_size = message.msg_controllen;
    /* what the container's queue does not take is lost, as on any wire; so is what nobody there waits for */
    if (send(s->fd, bytes, (size_t)n, MSG_NOSIGNAL) < 0 && errno == ECONNREFUSED) send(s->fd, bytes, (size_t)n, MSG_NOSIGNAL);
  }
}

void answer_datagrams(struct session *s) {
  for (int i = 0; s->fd >= 0 && i < TAKEN; i++) {
    ssize_t n = recv(s->fd, bytes, sizeof bytes, 0);
    if (n < 0 && errno == ECONNREFUSED) continue;
    if (n < 0) return;
    s->last = now();
    struct iovec part = {bytes, (size_t)n};
    struct msghdr message = {.msg_name = &s->client, .msg_namelen = s->client_size, .msg_iov = &part, .msg_iovlen = 1,
                             .msg_control = s->local.bytes, .msg_controllen = s->local_size};
    /* by whichever interface the route says */
    if (s->local_size && s->local.header.cmsg_level == SOL_IP) ((struct in_pktinfo *)(void *)CMSG_DATA(&s->local.header))->ipi_ifindex = 0;
    sendmsg(s->port->fd, &message, MSG_NOSIGNAL);
  }
}
