/* What every part of the monitor takes from the system, and what is ours in each. */
#ifndef SYSTEM_H
#define SYSTEM_H
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define RETRY(x) ({ __typeof__(x) r_; do r_ = (x); while (r_ < 0 && errno == EINTR); r_; })
#define NEG(x) ((x) < 0 ? -errno : 0)

static inline void close_it(int *fd) {
  if (*fd >= 0) close(*fd);
}
#define AUTOCLOSE __attribute__((cleanup(close_it))) int

struct nlmsghdr;
/* ask.c: sends a request of rtnetlink(7) that asks for NLM_F_ACK; 0, -errno as the kernel answers, or -EPROTO. */
int netlink_ask(int fd, const struct nlmsghdr *request);

#endif
