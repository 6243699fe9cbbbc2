/* Connections from clients of the host to containers, led through pipes: the bytes stay in the kernel (splice(2)). */
#include "rootless.h"
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

/* What a new pipe holds. */
#define HOLDS 65536
/* Times in which one connection is served before others have their turn. */
#define TURNS 16
/* Connections taken from a port before others have their turn. */
#define TAKEN 64

struct connection;
struct side {
  enum kind kind;
  int fd, pipe[2]; /* what comes from it waits in the pipe */
  size_t held;
  bool ended, told; /* nothing more comes from it; the other one knows */
  struct connection *connection;
};

struct connection {
  struct side sides[2]; /* the client, and the container */
  bool connected, dead, hot;
  struct connection *next_hot, *next_dead;
};

static struct connection *hot, *dead;

static void end(struct connection *c, bool broken) {
  if (c->dead) return;
  c->dead = true;
  for (int i = 0; i < 2; i++) {
    struct side *side = &c->sides[i];
    struct linger at_once = {.l_onoff = 1};
    /* as the one broke off, so does the other */
    if (broken && side->fd >= 0) setsockopt(side->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close_it(&side->fd);
    close_it(&side->pipe[0]);
    close_it(&side->pipe[1]);
  }
  c->next_dead = dead;
  dead = c;
}

/* 1 when something moved, 0 when nothing can now, -errno. */
static int move_on(struct side *from, struct side *to) {
  unsigned flags = SPLICE_F_MOVE | SPLICE_F_NONBLOCK;
  int moved = 0;
  if (!from->ended && from->held < HOLDS) {
    ssize_t n = splice(from->fd, NULL, from->pipe[1], NULL, HOLDS - from->held, flags);
    if (n < 0 && errno != EAGAIN) return -errno;
    if (n > 0) from->held += (size_t)n;
    if (!n) from->ended = true;
    moved |= n >= 0;
  }
  if (from->held) {
    ssize_t n = splice(from->pipe[0], NULL, to->fd, NULL, from->held, flags);
    if (n < 0 && errno != EAGAIN) return -errno;
    if (n > 0) from->held -= (size_t)n;
    moved |= n > 0;
  }
  if (from->ended && !from->held && !from->told) {
    shutdown(to->fd, SHUT_WR);
    from->told = true;
    moved = 1;
  }
  return moved;
}

static void serve(struct connection *c) {
  int moved = 1;
  for (int turn = 0; moved && turn < TURNS; turn++) {
    int there = move_on(&c->sides[0], &c->sides[1]), back = there < 0 ? there : move_on(&c->sides[1], &c->sides[0]);
    if (back < 0) return end(c, true);
    if (c->sides[0].told && c->sides[1].told) return end(c, false);
    moved = there | back;
  }
  if (!moved || c->hot) return;
  c->hot = true;
  c->next_hot = hot;
  hot = c;
}

void side_event(void *what) {
  struct side *side = what;
  struct connection *c = side->connection;
  if (c->dead) return;
  if (!c->connected) {
    int error = 0;
    socklen_t size = sizeof error;
    struct sockaddr_storage peer;
    socklen_t length = sizeof peer;
    int fd = c->sides[1].fd;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) || error) return end(c, true);
    if (getpeername(fd, (struct sockaddr *)&peer, &length)) return;
    c->connected = true;
  }
  serve(c);
}

bool go_on(void) {
  struct connection *list = hot;
  hot = NULL;
  while (list) {
    struct connection *c = list;
    list = c->next_hot;
    c->hot = false;
    if (!c->dead) serve(c);
  }
  return hot;
}

void bury_connections(void) {
  /* one that was ended while it waited for its turn is still in that list */
  struct connection **at = &hot;
  while (*at)
    if ((*at)->dead) *at = (*at)->next_hot;
    else at = &(*at)->next_hot;
  while (dead) {
    struct connection *c = dead;
    dead = c->next_dead;
    free(c);
  }
}

static void begin(int epoll, const struct port *port, int client, const struct sockaddr_storage *name) {
  struct connection *c = calloc(1, sizeof *c);
  if (!c) {
    close(client);
    return;
  }
  for (int i = 0; i < 2; i++) c->sides[i] = (struct side){.kind = KIND_SIDE, .fd = -1, .pipe = {-1, -1}, .connection = c};
  c->sides[0].fd = client;
  c->sides[1].fd = towards(port, name, SOCK_STREAM);
  for (int i = 0; i < 2; i++)
    if (c->sides[i].fd < 0 || pipe2(c->sides[i].pipe, O_CLOEXEC | O_NONBLOCK) ||
        watch_for(epoll, c->sides[i].fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, &c->sides[i]))
      return end(c, true);
}

void take_connections(int epoll, const struct port *port) {
  for (int i = 0; i < TAKEN; i++) {
    struct sockaddr_storage name;
    socklen_t size = sizeof name;
    int client = accept4(port->fd, (struct sockaddr *)&name, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client >= 0) begin(epoll, port, client, &name);
    else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
      /* until others have ended; it would be asked for again at once */
      usleep(10000);
      return;
    } else if (errno != ECONNABORTED && errno != EINTR) return;
  }
}
