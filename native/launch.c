/*
 * The command line's launcher: launch NODE START.CJS ARGS... gives the command to a process that has loaded all of it and waits for one
 * (src/warm/), or becomes Node where there is none. The one that waits takes descriptors 0 to 2, arguments and environment as its own; this
 * process passes signals on and ends as the other does. Nothing is done twice: the other begins only after our last word.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "warm.h"

extern char **environ;

/* How long the other may take to say yes, in ms: a plain start takes 40. */
#define PATIENCE 250

static int other = -1; /* its pidfd */

/*
 * "tscompose-warm-DEV-INO" of this installation in the user's run folder, which must be one that only we can write, so that there is one process for a
 * user and an installation, whatever HOME is; 0 when there is none.
 */
static int socket_path(const char *start, struct sockaddr_un *address) {
  const char *folder = getenv("TSCOMPOSE_WARM_FOLDER"), *wanted = getenv("TSCOMPOSE_WARM");
  if (!folder) folder = geteuid() ? getenv("XDG_RUNTIME_DIR") : "/run";
  struct stat at, of;
  if (!folder || *folder != '/' || (wanted && !strcmp(wanted, "0"))) return 0;
  if (lstat(folder, &at) || !S_ISDIR(at.st_mode) || at.st_uid != geteuid() || (at.st_mode & 022)) return 0;
  if (geteuid() != getuid() || stat(start, &of)) return 0;
  address->sun_family = AF_UNIX;
  int length = snprintf(address->sun_path, sizeof address->sun_path, "%s/tscompose-warm-%llx-%llx", folder,
                        (unsigned long long)of.st_dev, (unsigned long long)of.st_ino);
  return length > 0 && (size_t)length < sizeof address->sun_path;
}

static int connected(const struct sockaddr_un *address) {
  /* not blocking: one that is taken has a full queue */
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  struct ucred peer;
  socklen_t size = sizeof peer;
  if (fd < 0) return -1;
  if (!connect(fd, (const struct sockaddr *)address, sizeof *address) &&
      !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) && peer.uid == geteuid() &&
      (other = (int)syscall(SYS_pidfd_open, peer.pid, 0)) >= 0)
    return fd;
  /* left by one that was killed: whoever waits listens before its socket has this name (warm.c) */
  if (errno == ECONNREFUSED) unlink(address->sun_path);
  close(fd);
  return -1;
}

static size_t added(char *body, size_t at, const char *text) {
  size_t size = strlen(text) + 1;
  if (at > WARM_MOST - size || size > WARM_MOST) return WARM_MOST + 1;
  memcpy(body + at, text, size);
  return at + size;
}

/* The whole request; 0 when it is too long, or a descriptor is closed. */
static int sent(int fd, char **arguments) {
  static char body[WARM_MOST];
  struct warm_header header = {.magic = WARM_MAGIC, .terminal = (uint32_t)isatty(0)};
  for (int i = 0; i < 3; i++)
    if (fcntl(i, F_GETFD) < 0) return 0;
  size_t size = 0;
  for (; *arguments; arguments++, header.arguments++)
    if ((size = added(body, size, *arguments)) > WARM_MOST) return 0;
  for (char **each = environ; *each; each++, header.variables++)
    if ((size = added(body, size, *each)) > WARM_MOST) return 0;
  header.size = (uint32_t)size;
  struct iovec parts[] = {{&header, sizeof header}, {body, size}};
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
  /* the queue of a socket holds more than WARM_MOST: what does not fit at once is not sent at all */
  return sendmsg(fd, &message, MSG_NOSIGNAL) == (ssize_t)(sizeof header + size);
}

/* Waits for its yes and says the last word; whatever comes after that ends this process. */
static int accepted(int fd) {
  struct pollfd wait = {.fd = fd, .events = POLLIN};
  char word = 0;
  if (poll(&wait, 1, PATIENCE) != 1 || read(fd, &word, 1) != 1 || word != WARM_YES) return 0;
  struct iovec part = {(char[]){WARM_GO}, 1};
  union { struct cmsghdr header; char bytes[CMSG_SPACE(3 * sizeof(int))]; } control = {0};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
  struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(3 * sizeof(int));
  memcpy(CMSG_DATA(rights), (int[]){0, 1, 2}, 3 * sizeof(int));
  return sendmsg(fd, &message, MSG_NOSIGNAL) == 1;
}

static void pass_on(int signal) {
  int before = errno;
  /* it has no terminal to be stopped by */
  syscall(SYS_pidfd_send_signal, other, signal == SIGTSTP ? SIGSTOP : signal, NULL, 0);
  if (signal == SIGTSTP) raise(SIGSTOP);
  errno = before;
}

static const int passed[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGTSTP, SIGCONT, SIGUSR1, SIGUSR2};

static _Noreturn void follow(int fd) {
  struct pollfd wait = {.fd = fd, .events = POLLIN};
  unsigned char code;
  for (;;) {
    if (poll(&wait, 1, -1) < 0 && errno == EINTR) continue;
    ssize_t got = read(fd, &code, 1);
    if (got == 1) _exit(code);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    static const char text[] = "tscompose: the process that ran this command was killed\n";
    if (write(2, text, sizeof text - 1) < 0) _exit(137);
    _exit(137);
  }
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  struct sockaddr_un address = {0};
  if (socket_path(argv[2], &address)) {
    int fd = connected(&address);
    if (fd >= 0) {
      sigset_t all, before;
      sigfillset(&all);
      /* what comes before there is somebody to pass it to waits */
      sigprocmask(SIG_BLOCK, &all, &before);
      if (sent(fd, argv + 3) && accepted(fd)) {
        struct sigaction action = {.sa_handler = pass_on};
        for (size_t i = 0; i < sizeof passed / sizeof *passed; i++) {
          struct sigaction now;
          /* what is ignored, as SIGHUP under nohup, is not passed on */
          if (!sigaction(passed[i], NULL, &now) && now.sa_handler != SIG_IGN) sigaction(passed[i], &action, NULL);
        }
        sigprocmask(SIG_SETMASK, &before, NULL);
        follow(fd);
      }
      close(fd);
      sigprocmask(SIG_SETMASK, &before, NULL);
    }
    setenv("TSCOMPOSE_WARM_SOCKET", address.sun_path, 1);
  } else {
    unsetenv("TSCOMPOSE_WARM_SOCKET");
  }
  /* -- since Node reads --env-file wherever it stands, behind the script too: ours would be loaded into its environment */
  char **words = calloc((size_t)argc + 3, sizeof *words);
  if (!words) return 1;
  words[0] = argv[1];
  words[1] = "--disable-warning=ExperimentalWarning";
  words[2] = "--";
  memcpy(words + 3, argv + 2, (size_t)(argc - 2) * sizeof *words);
  execv(argv[1], words);
  perror(argv[1]);
  return 126;
}
