/* What the namespaces of an engine without root rights have in them, and the group of its processes. */
#include "rootless.h"
#include <grp.h>
#include <linux/mount.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define GROUPS "/sys/fs/cgroup"
/* Beside the groups of containers: on v2 a group with groups in it that have limits has no process. */
#define OWN_GROUP "tscompose-engine"

int become_root(void) {
  if (setgroups(0, NULL)) return -errno;
  if (setresgid(0, 0, 0)) return -errno;
  return NEG(setresuid(0, 0, 0));
}

/*
 * A new sysfs shows the new network namespace; the groups stay in their place. Those of v2 are mounted anew, from our own group on: over
 * the old ones the kernel would refuse them as the same file system (EBUSY).
 */
static int mount_sysfs(void) {
  int unified = !access(GROUPS "/cgroup.controllers", F_OK);
  AUTOCLOSE old = unified ? -1 : (int)syscall(SYS_open_tree, AT_FDCWD, GROUPS, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
  unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  if (mount("sysfs", "/sys", "sysfs", flags, NULL)) return -errno;
  if (unified) return NEG(mount("cgroup2", GROUPS, "cgroup2", flags, NULL));
  if (old < 0 || access(GROUPS, F_OK)) return 0;
  return NEG(syscall(SYS_move_mount, old, "", AT_FDCWD, GROUPS, MOVE_MOUNT_F_EMPTY_PATH));
}

static int loopback_up(void) {
  AUTOCLOSE fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
  return fd < 0 ? -errno : NEG(ioctl(fd, SIOCSIFFLAGS, &request));
}

static int write_number(const char *path, pid_t pid) {
  char text[16];
  AUTOCLOSE fd = open(path, O_WRONLY | O_CLOEXEC);
  int length = snprintf(text, sizeof text, "%d", (int)pid);
  return fd < 0 ? -errno : write(fd, text, (size_t)length) == length ? 0 : -errno;
}

/* Where the group is ours to divide, our processes leave it to those of containers; where it is not, they stay. */
static int divide_group(pid_t other) {
  if (access(GROUPS "/cgroup.controllers", F_OK) || (mkdir(GROUPS "/" OWN_GROUP, 0755) && errno != EEXIST)) return 0;
  int error = write_number(GROUPS "/" OWN_GROUP "/cgroup.procs", other);
  return error ? error : write_number(GROUPS "/" OWN_GROUP "/cgroup.procs", 0);
}

int furnish(const char *resolv, pid_t other, const char **what) {
  int error = become_root();
  /* setresuid has made us one whom the user may not look at */
  prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  if (!error) *what = "mounts", error = NEG(mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL));
  if (!error) *what = "sysfs", error = mount_sysfs();
  if (!error) *what = "cgroup", error = divide_group(other);
  if (!error && resolv) *what = "resolv.conf", error = NEG(mount(resolv, "/etc/resolv.conf", NULL, MS_BIND, NULL));
  if (!error) *what = "loopback", error = loopback_up();
  return error;
}

/* Must be done from outside: the kernel lets nobody into a group whose own is not seen from the cgroup namespace. */
int join_group_of(pid_t pid) {
  char line[4096], path[4200];
  snprintf(line, sizeof line, "/proc/%d/cgroup", (int)pid);
  FILE *file = fopen(line, "re");
  if (!file) return -errno;
  int error = 0;
  while (fgets(line, sizeof line, file)) {
    line[strcspn(line, "\n")] = 0;
    size_t length = strlen(line), own = strlen("/" OWN_GROUP);
    if (strncmp(line, "0::", 3) || length < own || strcmp(line + length - own, "/" OWN_GROUP)) continue;
    snprintf(path, sizeof path, "%s%s/cgroup.procs", GROUPS, line + 3);
    error = write_number(path, 0);
  }
  fclose(file);
  return error;
}
