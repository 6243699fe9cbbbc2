/*
 * The namespaces of an engine without root rights, whose root is the user who runs it:
 *
 *   rootless hold SOCKET PORTS [RESOLV]        makes them, waits until the user's ids are mapped, and keeps them as long as it runs
 *   rootless enter SOCKET PROGRAM WORD...      becomes a program in those that are kept behind the socket
 *   rootless beside SOCKET PROGRAM WORD...     runs a program outside, which ends with them
 *
 * The one that holds says "made" when ids can be mapped, reads a line, and says "ready", or "failed WHAT ERRNO". Whoever listens at the socket is
 * told by the kernel, so that no number of a process is ever written down. Beside it stays its child, which is in no namespace of ours: it opens
 * the ports of the host (ports.c), for the engine that asks for them at the socket PORTS. RESOLV is shown as /etc/resolv.conf.
 */
#include "rootless.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

static int address_of(const char *path, struct sockaddr_un *address) {
  size_t length = strlen(path);
  *address = (struct sockaddr_un){.sun_family = AF_UNIX};
  if (length >= sizeof address->sun_path) return -ENAMETOOLONG;
  memcpy(address->sun_path, path, length + 1);
  return 0;
}

/* As long as this process lives nobody else holds namespaces for this socket; what an earlier one has left there is nobody's. */
static int lock_beside(const char *path) {
  char name[256];
  if ((size_t)snprintf(name, sizeof name, "%s.lock", path) >= sizeof name) return -ENAMETOOLONG;
  int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  return fd < 0 || flock(fd, LOCK_EX | LOCK_NB) ? -errno : 0;
}

/* Our own alone, whatever the mask. */
static int listen_at(const char *path) {
  struct sockaddr_un address;
  int error = address_of(path, &address), fd = error ? -1 : socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return error ? error : -errno;
  umask(0177);
  unlink(path);
  return bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 64) ? -errno : fd;
}

static int failed(const char *what, int error) {
  printf("failed %s %d\n", what, -error);
  fflush(stdout);
  return 1;
}

static void raise_limits(void) {
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files)) return;
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

static int hold(char *const paths[2], const char *resolv) {
  char line[16];
  int pair[2], listeners[2], error = lock_beside(paths[0]);
  if (error) return failed("lock", error);
  raise_limits();
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) return failed("socketpair", -errno);
  pid_t outside = fork();
  if (outside < 0) return failed("fork", -errno);
  if (!outside) {
    /* of the lock too */
    syscall(SYS_close_range, 0, pair[1] - 1, 0);
    return open_ports(pair[1]);
  }
  close(pair[1]);
  if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWCGROUP)) return failed("unshare", -errno);
  puts("made");
  fflush(stdout);
  if (!fgets(line, sizeof line, stdin)) return 1;
  const char *what = "ids";
  if ((error = furnish(resolv, outside, &what)) || (what = "route", error = route_answers())) return failed(what, error);
  for (int i = 0; i < 2; i++)
    if ((listeners[i] = listen_at(paths[i])) < 0) return failed("listen", listeners[i]);
  puts("ready");
  fflush(stdout);
  int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; fd < 3; fd++) dup2(nothing, fd);
  signal(SIGHUP, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  return relay_ports(listeners, pair[0]);
}

/* The pidfd of the process that listens at the socket. */
static int holder_of(const char *path, pid_t *pid) {
  struct sockaddr_un address;
  struct ucred holder;
  socklen_t size = sizeof holder;
  int error = address_of(path, &address);
  AUTOCLOSE fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (error || fd < 0) return error ? error : -errno;
  if (connect(fd, (struct sockaddr *)&address, sizeof address) || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &holder, &size)) return -errno;
  *pid = holder.pid;
  int pidfd = (int)syscall(SYS_pidfd_open, holder.pid, 0);
  return pidfd < 0 ? -errno : pidfd;
}

static int complain(const char *what, int error) {
  fprintf(stderr, "rootless: cannot %s: %s\n", what, strerror(-error));
  return 1;
}

static int enter(const char *path, char **words) {
  pid_t pid;
  int pidfd = holder_of(path, &pid), error = pidfd < 0 ? pidfd : 0;
  if (error) return complain("find who holds the namespaces", error);
  if ((error = join_group_of(pid))) return complain("enter the cgroup of the namespaces", error);
  if (setns(pidfd, CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWCGROUP)) return complain("enter the namespaces", -errno);
  if ((error = become_root()) || (error = NEG(chdir("/")))) return complain("become their root", error);
  execv(words[0], words);
  complain("run the program", -errno);
  return 127;
}

static int beside(const char *path, char **words) {
  pid_t pid, us = getpid();
  int holder = holder_of(path, &pid);
  if (holder < 0) return complain("find who holds the namespaces", holder);
  pid_t child = fork();
  if (child < 0) return complain("fork", -errno);
  if (!child) {
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != us) return 1;
    execv(words[0], words);
    complain("run the program", -errno);
    _exit(127);
  }
  int its = (int)syscall(SYS_pidfd_open, child, 0), status = 0;
  struct pollfd ends[] = {{holder, POLLIN, 0}, {its, POLLIN, 0}};
  if (its >= 0) RETRY(poll(ends, 2, -1));
  if (!ends[1].revents) kill(child, SIGKILL);
  RETRY(waitpid(child, &status, 0));
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int count, char **words) {
  if ((count == 4 || count == 5) && !strcmp(words[1], "hold")) return hold(words + 2, count == 5 ? words[4] : NULL);
  if (count > 3 && !strcmp(words[1], "enter")) return enter(words[2], words + 3);
  if (count > 3 && !strcmp(words[1], "beside")) return beside(words[2], words + 3);
  fprintf(stderr, "usage: rootless hold SOCKET PORTS [RESOLV] | rootless enter SOCKET PROGRAM WORD... | rootless beside SOCKET PROGRAM WORD...\n");
  return 2;
}
