/* User namespaces: made with the ids of the host that theirs mean, found again by what they own, and entered (user_namespaces(7)). */
#include "setup.h"
#include <grp.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <stdio.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define NS_GET_USERNS 0xb701 /* linux/nsfs.h */

static int write_map(pid_t pid, const char *name, const char *map) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
  AUTOCLOSE fd = open(path, O_WRONLY | O_CLOEXEC);
  return fd < 0 ? -errno : NEG(RETRY(write(fd, map, strlen(map))));
}

static int open_namespace(pid_t pid, const char *name, int *fd) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/ns/%s", (int)pid, name);
  close_it(fd);
  *fd = open(path, O_RDONLY | O_CLOEXEC);
  return NEG(*fd);
}

/* A process that only is somewhere: what it is in belongs to its user namespace, and lives on by our descriptors. */
static pid_t stand_in(struct setup *m, unsigned long flags, int *ready) {
  int pair[2];
  if (pipe2(pair, O_CLOEXEC)) return -1;
  pid_t pid = (pid_t)syscall(SYS_clone, (flags & CLONE_NEWUSER ? flags : 0) | SIGCHLD, NULL, NULL, NULL, NULL);
  if (pid) {
    int error = errno;
    close(pair[1]);
    *ready = pair[0];
    return errno = error, pid;
  }
  int result = flags & CLONE_NEWUSER ? 0 : setns(m->target, CLONE_NEWUSER) || unshare((int)flags) ? errno : 0;
  if (write(pair[1], &result, sizeof result) != sizeof result) _exit(1);
  for (;;) pause();
}

/* The user namespace of a stand-in and, when `flags` have one made, its network namespace. Without `uids` it is the target's. */
static int open_user(struct setup *m, const char *uids, const char *gids, unsigned long flags) {
  int ready = -1, result = 0;
  pid_t pid = stand_in(m, flags, &ready);
  AUTOCLOSE pipe = ready;
  if (pid < 0) return -errno;
  ssize_t n = RETRY(read(pipe, &result, sizeof result));
  int error = n == sizeof result ? -result : -ECHILD;
  if (!error && uids) error = write_map(pid, "uid_map", uids);
  if (!error && gids) error = write_map(pid, "gid_map", gids);
  if (!error) error = open_namespace(pid, "user", &m->user);
  if (!error && flags & CLONE_NEWNET) error = open_namespace(pid, "net", &m->owned_net);
  kill(pid, SIGKILL);
  RETRY(waitpid(pid, NULL, 0));
  return error;
}

/* The owner of the network namespace we are in: of a sandbox that outlived its process. */
static int owner_of_net(struct setup *m) {
  close_it(&m->user);
  m->user = m->netns < 0 ? (errno = EBADF, -1) : ioctl(m->netns, NS_GET_USERNS);
  if (m->user < 0) return -errno;
  return fcntl(m->user, F_SETFD, FD_CLOEXEC) ? -errno : 0;
}

/*
 * Taking a mount namespace down waits for all processors (up to 10 ms on a busy machine). The child would do so at the moment it leaves its
 * first one: that lives until the start has been reported.
 */
void hold_mounts(struct setup *m, pid_t child) {
  if (m->user >= 0) open_namespace(child, "mnt", &m->mounts);
}

static int become_root(void) {
  if (setgroups(0, NULL) || setresgid(0, 0, 0)) return -errno;
  return NEG(setresuid(0, 0, 0));
}

/* Its root, with nothing left of the host's rights; new namespaces belong to it. */
static int enter_user(struct setup *m, int flags) {
  if (setns(m->user, CLONE_NEWUSER)) return -errno;
  if (flags && unshare(flags)) return -errno;
  return become_root();
}

/* What is owned by uid 0 of the disk is owned by the namespace's root here. */
static int map_ids(struct setup *m, int fd, bool recursive) {
  struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)m->user};
  return NEG(syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr, sizeof attr));
}

/*
 * Runs `act` with files made for another user: on mounts whose ids are mapped, ours mean nothing. Leaving uid 0 takes the rights over
 * files away, which are given back (capabilities(7), "Effect of user ID changes").
 */
static int as_file_owner(struct setup *m, const struct step *s, int (*act)(struct setup *, const struct step *)) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2];
  if (syscall(SYS_capget, &header, data)) return -errno;
  setfsgid((gid_t)s->a[3]);
  setfsuid((uid_t)s->a[2]);
  int error = NEG(syscall(SYS_capset, &header, data));
  if (!error) error = act(m, s);
  setfsuid(0);
  setfsgid(0);
  return error;
}

int user_step(struct setup *m, const struct step *s) {
  switch (s->code) {
    case STEP_USER_NEW: return open_user(m, text(m, s->a[0]), text(m, s->a[1]), CLONE_NEWUSER | (unsigned long)s->a[2]);
    case STEP_USER_OF_TARGET: return open_user(m, NULL, NULL, (unsigned long)s->a[0]);
    case STEP_USER_OF_NETNS: return owner_of_net(m);
    case STEP_USER_ENTER: return enter_user(m, (int)s->a[0]);
    case STEP_USER_ROOT: return become_root();
    case STEP_MAP_IDS: return map_ids(m, m->slots[s->a[0]], s->a[2]);
    case STEP_FS_MOUNT_AS: return as_file_owner(m, s, fs_mount);
    default: return -ENOSYS;
  }
}
