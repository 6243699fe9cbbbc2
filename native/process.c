/* The last steps of a child: its session and terminal, its limits and rights, and the command itself. */
#include "setup.h"
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/magic.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

/* Descriptors 0, 1 and 2 become what the monitor prepared; /dev/null is taken from inside when it is one (B7). */
static int start_session(struct setup *m) {
  if (setsid() < 0) return -errno;
  for (int i = 0; i < 3; i++)
    if (dup2(m->child_stdio[i], i) < 0) return -errno;
  if (m->settings->stdio & STDIO_STDIN) return 0;
  AUTOCLOSE null = open("/dev/null", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  struct stat st;
  if (null >= 0 && !fstat(null, &st) && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3)) dup2(null, 0);
  return 0;
}

static int report_with(struct setup *m, struct child_report report, int fd) {
  struct iovec iov = {&report, sizeof report};
  union {
    char space[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
  } control = {0};
  struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(header), &fd, sizeof fd);
  return NEG(RETRY(sendmsg(m->report, &message, 0)));
}

/*
 * Goes on as a sibling, born in the pid namespace that was joined: whoever traces processes in there sees it only now, when it has
 * given up what the container does not have, and nothing of the host is open in it (CVE-2016-9962). By clone, which filters allow.
 */
static int fork_inside(struct setup *m) {
  for (int i = 0; i < OUTSIDE; i++) close_it(&m->outside[i]), m->outside[i] = -1;
  close_it(&m->target);
  m->target = -1;
  int pidfd = -1;
  long pid = syscall(SYS_clone, CLONE_PARENT | CLONE_PIDFD, NULL, &pidfd, NULL, NULL);
  if (pid <= 0) return pid ? -errno : 0;
  _exit(report_with(m, (struct child_report){REPORT_FORKED, 0}, pidfd) != 0);
}

/* The pair comes from the devpts behind the slot, the other end by the kernel's own answer, never by a name (B5). */
static int open_terminal(struct setup *m, const struct step *s) {
  AUTOCLOSE master = openat(m->slots[s->a[0]], "ptmx", O_RDWR | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC);
  struct statfs fs;
  int unlocked = 0;
  if (master < 0 || fstatfs(master, &fs)) return -errno;
  if (fs.f_type != DEVPTS_SUPER_MAGIC) return -ENOTTY;
  if (ioctl(master, TIOCSPTLCK, &unlocked)) return -errno;
  AUTOCLOSE slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (slave < 0 || fchown(slave, (uid_t)s->a[1], (gid_t)-1)) return -errno;
  struct winsize size = {.ws_row = (unsigned short)m->settings->rows, .ws_col = (unsigned short)m->settings->columns};
  if ((m->settings->rows || m->settings->columns) && ioctl(master, TIOCSWINSZ, &size)) return -errno;
  int error = report_with(m, (struct child_report){REPORT_TERMINAL, 0}, master);
  if (error) return error;
  if (setsid() < 0 || ioctl(slave, TIOCSCTTY, 0)) return -errno;
  for (int i = 0; i < 3; i++)
    if (dup2(slave, i) < 0) return -errno;
  if (!s->a[2]) return 0;
  /* A /dev of the author's own may have one already. */
  if (mknod("/dev/console", S_IFREG | 0600, 0) && errno != EEXIST) return -errno;
  AUTOCLOSE point = open("/dev/console", O_PATH | O_NOFOLLOW | O_CLOEXEC);
  AUTOCLOSE tree = (int)syscall(SYS_open_tree, slave, "", AT_EMPTY_PATH | 1 | O_CLOEXEC);
  if (point < 0 || tree < 0) return -errno;
  return NEG(syscall(SYS_move_mount, tree, "", point, "", 0x44));
}

/* What inside a user namespace could not be had any more; whoever asks for less gets it later. */
static int raise_limit(__rlimit_resource_t resource, rlim_t hard) {
  struct rlimit limit;
  if (getrlimit(resource, &limit)) return -errno;
  if (limit.rlim_max >= hard) return 0;
  limit.rlim_max = hard;
  return NEG(setrlimit(resource, &limit));
}

static int drop_bound(uint64_t keep, int last) {
  for (int cap = 0; cap <= last; cap++)
    if (!(keep >> cap & 1) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0)) return -errno;
  return 0;
}

static int become(struct setup *m, const struct step *s) {
  gid_t groups[1024];
  size_t size = (size_t)s->a[3];
  if (size > sizeof groups || size % sizeof *groups) return -EINVAL;
  memcpy(groups, text(m, s->a[2]), size);
  if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)) return -errno;
  if (setgroups(size / sizeof *groups, groups)) return -errno;
  if (setresgid((gid_t)s->a[1], (gid_t)s->a[1], (gid_t)s->a[1])) return -errno;
  return NEG(setresuid((uid_t)s->a[0], (uid_t)s->a[0], (uid_t)s->a[0]));
}

/* Inheritable and ambient stay empty (CVE-2022-24769). */
static int set_capabilities(uint64_t effective, uint64_t permitted) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2] = {
      {(uint32_t)effective, (uint32_t)permitted, 0},
      {(uint32_t)(effective >> 32), (uint32_t)(permitted >> 32), 0},
  };
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)) return -errno;
  return NEG(syscall(SYS_capset, &header, data));
}

static int filter_calls(const char *bytes, int64_t length) {
  struct sock_fprog program = {.len = (unsigned short)(length / 8), .filter = (struct sock_filter *)(uintptr_t)bytes};
  if (length % 8 || length / 8 > BPF_MAXINSNS) return -EINVAL;
  return NEG(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
}

/* A folder outside of the root shows as "(unreachable)/…" (CVE-2024-21626). */
static int enter_folder(const char *path) {
  char where[4096];
  if (chdir(path)) return -errno;
  long n = syscall(SYS_getcwd, where, sizeof where);
  if (n < 0) return -errno;
  return where[0] == '/' ? 0 : -EACCES;
}

static const char **list(const struct setup *m, int64_t offset, const char **items, int64_t count) {
  const char *at = text(m, offset);
  for (int64_t i = 0; i < count; i++, at += strlen(at) + 1) items[i] = at;
  items[count] = NULL;
  return items;
}

static int run_in_path(const char **argv, const char **env, const char *path) {
  char file[4096];
  int found = ENOENT;
  for (const char *at = path; at; at = *at ? at + 1 : NULL) {
    size_t size = strcspn(at, ":");
    int n = snprintf(file, sizeof file, "%.*s/%s", size ? (int)size : 1, size ? at : ".", argv[0]);
    if (n > 0 && (size_t)n < sizeof file) {
      execve(file, (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)env);
      struct stat st;
      if (errno == EACCES && !stat(file, &st) && !S_ISDIR(st.st_mode)) found = EACCES;
      else if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) return -errno;
    }
    at += size;
  }
  return -found;
}

static int run_command(struct setup *m, const struct step *s) {
  const char **argv = calloc((size_t)(s->a[1] + s->a[3] + 2), sizeof *argv), *path = NULL;
  if (!argv || !s->a[1]) return -EINVAL;
  const char **env = list(m, s->a[2], argv + s->a[1] + 1, s->a[3]);
  list(m, s->a[0], argv, s->a[1]);
  for (const char **e = env; *e && !path; e++)
    if (!strncmp(*e, "PATH=", 5)) path = *e + 5;
  /* Whoever follows a dead monitor would find a container without log and exit code. */
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)) return -errno;
  if (syscall(SYS_close_range, 3, ~0u, 4 /* CLOSE_RANGE_CLOEXEC */)) return -errno;
  struct stat st;
  if (!strchr(argv[0], '/')) return run_in_path(argv, env, path ? path : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  execve(argv[0], (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)env);
  return errno == EACCES && !stat(argv[0], &st) && S_ISDIR(st.st_mode) ? -EISDIR : -errno;
}

/* Waits until the init that this is a child of has nothing left but what it needs; nobody's child goes on when it has died before. */
static int await_init(const int told[2]) {
  char ready;
  close(told[1]);
  ssize_t length = read(told[0], &ready, 1);
  close(told[0]);
  return length == 1 ? 0 : -EPIPE;
}

/* Process 1 of a container that asked for one: passes signals on, reaps, and ends as the command ends, with the rights that takes. */
static int be_init(struct setup *m, uint64_t rights) {
  sigset_t all, old;
  int told[2];
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &old);
  if (pipe2(told, O_CLOEXEC)) return -errno;
  pid_t command = fork();
  if (command < 0) return -errno;
  if (command == 0) {
    setpgid(0, 0);
    if (m->settings->stdio & STDIO_TERMINAL) tcsetpgrp(0, getpid());
    int error = await_init(told);
    return error ? error : NEG(sigprocmask(SIG_SETMASK, &old, NULL));
  }
  if (set_capabilities(rights, rights)) _exit(127);
  prctl(PR_SET_NAME, "init", 0, 0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  dup2(told[1], 3);
  syscall(SYS_close_range, 4, ~0u, 0);
  if (write(3, "", 1) != 1) _exit(127);
  close(3);
  for (;;) {
    int status, signal = sigwaitinfo(&all, NULL);
    if (signal > 0 && signal != SIGCHLD) kill(command, signal);
    for (pid_t pid; signal == SIGCHLD && (pid = waitpid(-1, &status, WNOHANG)) > 0;)
      if (pid == command) _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  }
}

int process_step(struct setup *m, const struct step *s) {
  struct rlimit limit = {(rlim_t)s->a[1], (rlim_t)s->a[2]};
  switch (s->code) {
    case STEP_SESSION: return start_session(m);
    case STEP_TERMINAL: return open_terminal(m, s);
    case STEP_RLIMIT: return NEG(setrlimit((__rlimit_resource_t)s->a[0], &limit));
    case STEP_RAISE_LIMIT: return raise_limit((__rlimit_resource_t)s->a[0], (rlim_t)s->a[1]);
    case STEP_BOUND: return drop_bound((uint64_t)s->a[0], (int)s->a[1]);
    case STEP_IDENTITY: return become(m, s);
    case STEP_CAPABILITIES: return set_capabilities((uint64_t)s->a[0], (uint64_t)s->a[1]);
    case STEP_NO_NEW_PRIVILEGES: return NEG(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    case STEP_SECCOMP: return filter_calls(text(m, s->a[0]), s->a[1]);
    case STEP_UMASK: umask((mode_t)s->a[0]); return 0;
    case STEP_CWD: return enter_folder(text(m, s->a[0]));
    case STEP_INIT: return be_init(m, (uint64_t)s->a[0]);
    case STEP_FORK: return fork_inside(m);
    case STEP_EXEC: return run_command(m, s);
    default: return -ENOSYS;
  }
}
