/* libhost.so: the few calls the engine makes itself that Node has no words for. Each returns a value or -errno. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <net/if.h>
#include <sched.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/sockios.h>
#include <sys/file.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define RESULT(x) ((x) < 0 ? -errno : 0)

int host_pidfd_open(int pid) {
  int fd = (int)syscall(SYS_pidfd_open, pid, 0);
  return fd < 0 ? -errno : fd;
}

int host_pidfd_signal(int fd, int signal) { return RESULT(syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0)); }

/* The lock lives as long as the descriptor; -EWOULDBLOCK when another process has it. */
int host_lock(const char *path, int create) {
  int fd = open(path, O_RDWR | (create ? O_CREAT : 0) | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return -errno;
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
  int error = errno;
  close(fd);
  return -error;
}

/*
 * Folders made in this one each get a block group of their own (ext2 to ext4: "top of a hierarchy", as by chattr +T). Otherwise those
 * that are filled side by side share one, and ext4 looks there, inode by inode, for one that was not deleted just now.
 */
int host_spread_below(const char *path) {
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return -errno;
  int flags = 0;
  int result = ioctl(fd, FS_IOC_GETFLAGS, &flags) ? -errno : 0;
  if (!result && !(flags & FS_TOPDIR_FL)) {
    flags |= FS_TOPDIR_FL;
    result = ioctl(fd, FS_IOC_SETFLAGS, &flags) ? -errno : 0;
  }
  close(fd);
  return result;
}

/* Two files change their names for each other's: 1; 0 where the second is none, or the file system knows no such thing. */
int host_exchange(const char *a, const char *b) {
  /* not fstatat: see below */
  struct statx st;
  if (statx(AT_FDCWD, b, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &st) || !S_ISREG(st.stx_mode)) return 0;
  if (!syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE)) return 1;
  return errno == ENOENT || errno == EINVAL || errno == ENOSYS ? 0 : -errno;
}

/* A sealed copy in memory: what runs inside containers can never be written through /proc/PID/exe (CVE-2019-5736). */
int host_sealed_copy(const char *path) {
  int in = open(path, O_RDONLY | O_CLOEXEC);
  if (in < 0) return -errno;
  /* not fstat, which binds a program built here to glibc 2.33 */
  struct statx st;
  int error = statx(in, "", AT_EMPTY_PATH, STATX_SIZE, &st) ? errno : 0;
  int out = error ? -1 : memfd_create("monitor", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (!error && out < 0) error = errno;
  for (off_t at = 0; !error && at < (off_t)st.stx_size;) {
    ssize_t n = sendfile(out, in, &at, (size_t)st.stx_size - (size_t)at);
    if (n <= 0) error = n ? errno : EIO;
  }
  if (!error && fcntl(out, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)) error = errno;
  close(in);
  if (!error) return out;
  if (out >= 0) close(out);
  return -error;
}

/* A datagram socket with one other end, which never waits for it. */
int host_datagrams(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  size_t length = strlen(path);
  if (length >= sizeof address.sun_path) return -ENAMETOOLONG;
  memcpy(address.sun_path, path, length + 1);
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -errno;
  if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
  int error = errno;
  close(fd);
  return -error;
}

int host_send_datagram(int fd, const uint8_t *bytes, size_t size) { return RESULT(send(fd, bytes, size, MSG_NOSIGNAL)); }

/* An anonymous file for libraries that only write to descriptors. */
int host_memory_file(void) {
  int fd = memfd_create("bytes", MFD_CLOEXEC);
  return fd < 0 ? -errno : fd;
}

int host_socket_pair(int pair[2]) { return RESULT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)); }

/* Sends one end of a new pair to the nursery and returns the other. */
int host_request(int nursery) {
  int pair[2];
  char byte = 0;
  struct iovec iov = {&byte, 1};
  union {
    char space[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
  } control = {0};
  struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) return -errno;
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(header), &pair[1], sizeof(int));
  int error = sendmsg(nursery, &message, MSG_NOSIGNAL) < 0 ? errno : 0;
  close(pair[1]);
  if (!error) return pair[0];
  close(pair[0]);
  return -error;
}

/* Runs the program behind `exe` with `socket` as descriptor 3, nothing else open, no environment, and `title` as its argument. */
int host_spawn(int exe, int socket, char *title, char *group) {
  char path[32] = "/proc/self/fd/", digits[12];
  int n = 0, at = (int)strlen(path);
  for (int v = exe; v || !n; v /= 10) digits[n++] = (char)('0' + v % 10);
  while (n) path[at++] = digits[--n];
  path[at] = 0;
  posix_spawn_file_actions_t actions;
  pid_t pid = 0;
  char *argv[] = {"tscompose-monitor", title, group, NULL}, *env[] = {NULL};
  int error = posix_spawn_file_actions_init(&actions);
  if (error) return -error;
  error = posix_spawn_file_actions_adddup2(&actions, socket, 3);
  for (int fd = 0; !error && fd < 3; fd++) error = posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
  if (!error) error = posix_spawn(&pid, path, &actions, NULL, argv, env);
  posix_spawn_file_actions_destroy(&actions);
  return error ? -error : pid;
}

/* Waits for the nursery's first process, which only forks and ends. */
int host_reap(int pid) {
  int status, r;
  do r = waitpid(pid, &status, 0);
  while (r < 0 && errno == EINTR);
  return r < 0 ? -errno : status;
}

/* How much of what was written to a connection its reader has not taken; over TCP: has not received. */
int host_unread(int fd) {
  int left;
  return ioctl(fd, SIOCOUTQ, &left) ? -errno : left;
}

/* Gives what was freed back to the kernel: libnftables leaves tens of megabytes of holes. */
void host_trim_memory(void) { malloc_trim(0); }

/* Of this thread. Leaving uid 0 takes its rights over files away, which are given back; coming back to it does so by itself. */
int host_file_owner(unsigned int uid, unsigned int gid) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2];
  if (syscall(SYS_capget, &header, data)) return -errno;
  setfsgid(gid);
  setfsuid(uid);
  return RESULT(syscall(SYS_capset, &header, data));
}

static int bound_socket(int tcp, const char *address, int port) {
  struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
  int six = inet_pton(AF_INET, address, &v4.sin_addr) != 1;
  if (six && inet_pton(AF_INET6, address, &v6.sin6_addr) != 1) return -EINVAL;
  int fd = socket(six ? AF_INET6 : AF_INET, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), one = 1;
  if (fd < 0) return -errno;
  int error = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) ? errno : 0;
  const struct sockaddr *sa = six ? (void *)&v6 : (void *)&v4;
  if (!error && bind(fd, sa, six ? sizeof v6 : sizeof v4)) error = errno;
  if (!error && tcp && listen(fd, 128)) error = errno;
  if (!error) return fd;
  close(fd);
  return -error;
}

/* A bound (and listening) socket in another network namespace; this thread is back in its own when the call returns. */
int host_socket_in(const char *netns, int tcp, const char *address, int port) {
  int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  if (home < 0) return -errno;
  int away = open(netns, O_RDONLY | O_CLOEXEC), result = away < 0 || setns(away, CLONE_NEWNET) ? -errno : 0;
  if (!result) {
    result = bound_socket(tcp, address, port);
    /* A thread of the engine left in a container's network would be worse than no engine. */
    if (setns(home, CLONE_NEWNET)) __builtin_trap();
  }
  if (away >= 0) close(away);
  close(home);
  return result;
}
