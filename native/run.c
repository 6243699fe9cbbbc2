/* One step: one case, one thing done, 0 or -errno. Which steps, in which order, is the program's business. */
#include "monitor.h"
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* Trusted kernel files of the host: never created, never through a link. */
static int write_file(const char *path, const char *value) {
  AUTOCLOSE fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return -errno;
  return NEG(RETRY(write(fd, value, strlen(value))));
}

/* A cgroup is busy until the kernel has let its last task go. */
static int remove_folder(const char *path, int64_t patience) {
  for (int64_t waited = 0;; waited += 2) {
    if (rmdir(path) == 0 || errno == ENOENT) return 0;
    if (errno != EBUSY || waited >= patience) return -errno;
    poll(NULL, 0, 2);
  }
}

static int stdio_settings(struct monitor *m, const struct step *s) {
  m->stdio = (int)s->a[0];
  m->attach = (int)s->a[1];
  m->rows = (int)s->a[2];
  m->columns = (int)s->a[3];
  m->uid = (int)s->a[4];
  return 0;
}

static int supervise_settings(struct monitor *m, const struct step *s) {
  m->directory = open(text(m, s->a[0]), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (m->directory < 0) return -errno;
  m->oom_file = text(m, s->a[1]);
  return 0;
}

static int log_settings(struct monitor *m, const struct step *s) {
  m->log_path = text(m, s->a[0]);
  m->log_max = s->a[1];
  m->log_files = s->a[2];
  return open_log(m);
}

/* The pid may have come to mean another process: it is ours if it stands in our cgroup and still lives after we looked. */
static int open_target(struct monitor *m, int64_t pid, const char *cgroup) {
  char path[64], list[8192];
  m->target = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
  if (m->target < 0) return -errno;
  snprintf(path, sizeof path, "/proc/%d/cgroup", (int)pid);
  AUTOCLOSE fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -ESRCH;
  ssize_t n = RETRY(read(fd, list, sizeof list - 1));
  if (n < 0) return -errno;
  list[n] = 0;
  if (!strstr(list, cgroup)) return -ESRCH;
  return NEG(syscall(SYS_pidfd_send_signal, m->target, 0, NULL, 0));
}

static int join_path(const char *path, int flags) {
  AUTOCLOSE fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -errno;
  return NEG(setns(fd, flags));
}

int run_step(struct monitor *m, const struct step *s) {
  switch ((enum step_code)s->code) {
    case STEP_SUPERVISE: return supervise_settings(m, s);
    case STEP_LOG: return log_settings(m, s);
    case STEP_STDIO: return stdio_settings(m, s);
    case STEP_CLONE: m->clone_flags = (uint64_t)s->a[0]; return 0;
    case STEP_MKDIR: return mkdir(text(m, s->a[0]), (mode_t)s->a[1]) && errno != EEXIST ? -errno : 0;
    case STEP_RMDIR: return remove_folder(text(m, s->a[0]), s->a[1]);
    case STEP_WRITE: return write_file(text(m, s->a[0]), text(m, s->a[1]));
    /* "0" is the writer itself, which spares the kernel its lock over all processes. */
    case STEP_JOIN_CGROUP: return write_file(text(m, s->a[0]), "0");
    case STEP_NETNS_HOME:
    case STEP_NETNS_NEW:
    case STEP_NETNS_KEEP:
    case STEP_NETNS_ENTER:
    case STEP_NETNS_LEAVE:
    case STEP_NETNS_DROP:
    case STEP_BRIDGE:
    case STEP_VETH:
    case STEP_ISOLATE:
    case STEP_LINK_UP:
    case STEP_ADDRESS:
    case STEP_ROUTE:
    case STEP_LINK_DELETE: return network_step(m, s);
    case STEP_TREE:
    case STEP_FS_OPEN:
    case STEP_FS_SET:
    case STEP_FS_FLAG:
    case STEP_FS_MOUNT:
    case STEP_ATTRIBUTES:
    case STEP_ATTACH_ROOT:
    case STEP_PLACE:
    case STEP_FOLDER:
    case STEP_NODE:
    case STEP_SYMLINK:
    case STEP_MASK:
    case STEP_READ_ONLY:
    case STEP_PROPAGATION:
    case STEP_PIVOT:
    case STEP_OPEN_FOLDER:
    case STEP_TREE_OF:
    case STEP_MOUNT_OVERLAY: return mount_step(m, s);
    case STEP_TARGET: return open_target(m, s->a[0], text(m, s->a[1]));
    case STEP_JOIN: return NEG(setns(m->target, (int)s->a[0]));
    case STEP_JOIN_PATH: return join_path(text(m, s->a[0]), (int)s->a[1]);
    case STEP_UNSHARE: return NEG(unshare((int)s->a[0]));
    case STEP_HOSTNAME: return NEG(sethostname(text(m, s->a[0]), strlen(text(m, s->a[0]))));
    case STEP_DOMAINNAME: return NEG(setdomainname(text(m, s->a[0]), strlen(text(m, s->a[0]))));
    case STEP_SESSION:
    case STEP_TERMINAL:
    case STEP_RLIMIT:
    case STEP_BOUND:
    case STEP_IDENTITY:
    case STEP_CAPABILITIES:
    case STEP_NO_NEW_PRIVILEGES:
    case STEP_SECCOMP:
    case STEP_UMASK:
    case STEP_CWD:
    case STEP_INIT:
    case STEP_EXEC: return process_step(m, s);
  }
  return -ENOSYS;
}
