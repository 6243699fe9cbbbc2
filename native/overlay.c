/* For libhost.so: whether overlay works on a file system, tried on a mount that is attached nowhere. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <linux/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

static int set(int fs, const char *key, const char *value) {
  return syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, key, value, 0) ? -errno : 0;
}

/* The mount's descriptor. */
static int mount_overlay(const char *lower, const char *upper, const char *work, int user_marks) {
  int fs = (int)syscall(SYS_fsopen, "overlay", FSOPEN_CLOEXEC);
  if (fs < 0) return -errno;
  int result = set(fs, "source", "overlay");
  if (!result) result = set(fs, "lowerdir", lower);
  if (!result) result = set(fs, "upperdir", upper);
  if (!result) result = set(fs, "workdir", work);
  if (!result && user_marks && syscall(SYS_fsconfig, fs, FSCONFIG_SET_FLAG, "userxattr", NULL, 0)) result = -errno;
  if (!result && syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0)) result = -errno;
  if (!result) {
    result = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0);
    if (result < 0) result = -errno;
  }
  close(fs);
  return result;
}

/* Of a name in a folder: 1 when the folder tells what kind it is (d_type), 0 when not. */
int host_tells_types(const char *folder, const char *name) {
  DIR *dir = opendir(folder);
  if (!dir) return -errno;
  int result = -ENOENT;
  for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
    if (!strcmp(entry->d_name, name)) result = entry->d_type != DT_UNKNOWN;
  closedir(dir);
  return result;
}

/* 0 when `name` of `lower` could be taken away in an overlay on `upper` and a file made there; otherwise what the kernel said. */
int host_try_overlay(const char *lower, const char *upper, const char *work, const char *name, int user_marks) {
  int mount = mount_overlay(lower, upper, work, user_marks);
  if (mount < 0) return mount;
  int result = unlinkat(mount, name, 0) ? -errno : 0;
  int made = result ? -1 : openat(mount, "made", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (made >= 0) close(made);
  else if (!result) result = -errno;
  close(mount);
  return result;
}
