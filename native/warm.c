/* The waiting side of a command that is handed over (launch.c): calls Node has no words for. Each returns a value or -errno. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "warm.h"

/* Whoever waits at this path looks up, since somebody came: a descriptor to be closed, or -1. */
static int woken(const struct sockaddr_un *address) {
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd >= 0) connect(fd, (const struct sockaddr *)address, sizeof *address);
  return fd;
}

/*
 * A socket that only this user may connect to, which has its name from when it listens, and its inode number. -EEXIST: there is one
 * already; it loses its name where this one is to stand in its place, and is woken to see that.
 */
int host_warm_listen(const char *path, int instead, uint64_t *inode) {
  struct sockaddr_un address = {.sun_family = AF_UNIX}, last = {.sun_family = AF_UNIX};
  int length = snprintf(address.sun_path, sizeof address.sun_path, "%s.%d", path, (int)getpid());
  if (length < 0 || (size_t)length >= sizeof address.sun_path) return -ENAMETOOLONG;
  strcpy(last.sun_path, path);
  unlink(address.sun_path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), old = -1;
  if (fd < 0) return -errno;
  mode_t before = umask(0177);
  int failed = bind(fd, (struct sockaddr *)&address, sizeof address) ? errno : 0;
  umask(before);
  struct stat st = {0};
  if (!failed && (listen(fd, 1) || lstat(address.sun_path, &st))) failed = errno;
  *inode = st.st_ino;
  if (!failed && instead) old = woken(&last);
  if (!failed && (instead ? rename(address.sun_path, path) : link(address.sun_path, path))) failed = errno;
  if (old >= 0) close(old);
  unlink(address.sun_path);
  if (!failed) return fd;
  close(fd);
  return -failed;
}

/* The next launcher, its pid in `pid`; -ETIMEDOUT after `patience` ms, -EPERM when it is another user's. */
int host_warm_accept(int listener, int patience, int *pid) {
  struct pollfd wait = {.fd = listener, .events = POLLIN};
  int ready = poll(&wait, 1, patience);
  if (ready <= 0) return ready ? -errno : -ETIMEDOUT;
  int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  if (fd < 0) return -errno;
  struct ucred peer;
  socklen_t size = sizeof peer;
  /* whoever is slow holds up all others */
  struct timeval slow = {.tv_usec = 250000};
  if (!setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &slow, sizeof slow) && !setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &slow, sizeof slow) &&
      !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) && peer.uid == geteuid()) {
    *pid = peer.pid;
    return fd;
  }
  close(fd);
  return -EPERM;
}

/* Its request into `body` (WARM_MOST bytes), counts into `counts` (arguments, variables, terminal); returns the size. */
int host_warm_receive(int fd, uint8_t *body, uint32_t *counts) {
  struct warm_header header = {0};
  ssize_t got = recv(fd, &header, sizeof header, MSG_WAITALL);
  if (got < 0) return -errno;
  if (got != sizeof header || header.magic != WARM_MAGIC || header.size > WARM_MOST) return -EPROTO;
  got = header.size ? recv(fd, body, header.size, MSG_WAITALL) : 0;
  if (got < 0) return -errno;
  if (got != (ssize_t)header.size) return -EPROTO;
  counts[0] = header.arguments;
  counts[1] = header.variables;
  counts[2] = header.terminal;
  return (int)header.size;
}

/* The launcher's last word, and its three descriptors. -EPROTO when it has gone instead. */
int host_warm_go(int fd, int *given) {
  char word = 0;
  struct iovec part = {&word, 1};
  union { struct cmsghdr header; char bytes[CMSG_SPACE(3 * sizeof(int))]; } control = {0};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
  ssize_t got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
  if (got < 0) return -errno;
  struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
  int count = 0;
  if (rights && rights->cmsg_level == SOL_SOCKET && rights->cmsg_type == SCM_RIGHTS) {
    count = (int)((rights->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    memcpy(given, CMSG_DATA(rights), (size_t)count * sizeof(int));
  }
  if (got == 1 && word == WARM_GO && count == 3) return 0;
  while (count > 0) close(given[--count]);
  return -EPROTO;
}

/* The three become 0 to 2 of this process. */
int host_warm_take(const int *given) {
  for (int i = 0; i < 3; i++)
    if (dup2(given[i], i) < 0) return -errno;
  for (int i = 0; i < 3; i++) close(given[i]);
  return 0;
}
