/* Mounts, from descriptor to descriptor: a path inside a root is walked by the kernel, once, within that root. */
#include "setup.h"
#include <linux/magic.h>
#include <linux/mount.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#define MNT_DETACH 2
/* sys/mount.h and linux/mount.h cannot be included together before glibc 2.37. */
int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data);
int umount2(const char *target, int flags);

int set_slot(struct setup *m, int64_t slot, int fd) {
  if (fd < 0) return -errno;
  if (m->slots[slot] >= 0) close(m->slots[slot]);
  m->slots[slot] = fd;
  return 0;
}

static int open_tree_at(int at, const char *path, unsigned flags) {
  return (int)syscall(SYS_open_tree, at, path, flags | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
}

static int set_attributes(int fd, uint64_t set, uint64_t clear, uint64_t propagation, bool recursive) {
  struct mount_attr attr = {.attr_set = set, .attr_clr = clear, .propagation = propagation};
  return NEG(syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr, sizeof attr));
}

static int move_to(int from, int target) {
  return NEG(syscall(SYS_move_mount, from, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
}

/* Whether a folder lies in the procfs that is ours: another one, as below a mounted root of the host, is no different from any folder. */
static bool in_own_proc(int root, int fd) {
  struct statfs fs;
  struct stat at, own;
  if (fstatfs(fd, &fs) || fs.f_type != PROC_SUPER_MAGIC) return false;
  AUTOCLOSE proc = open_inside(root, "/proc", O_PATH, ROOTED | RESOLVE_NO_SYMLINKS);
  return proc < 0 || fstat(fd, &at) || fstat(proc, &own) || at.st_dev == own.st_dev;
}

/* Our own mounts come first and through no link; those asked for may not end in our procfs (CVE-2023-27561). */
static int place(struct setup *m, const struct step *s) {
  const char *path = text(m, s->a[1]);
  int root = m->slots[0], make = (int)s->a[2];
  uint64_t resolve = ROOTED | (make & MAKE_UNTRUSTED ? 0 : RESOLVE_NO_SYMLINKS);
  struct stat source;
  if (make & MAKE_LIKE && fstat(m->slots[s->a[0]], &source)) return -errno;
  if (make & MAKE_LIKE) make |= S_ISDIR(source.st_mode) ? MAKE_FOLDER : MAKE_FILE;
  int fd = open_inside(root, path, O_PATH, resolve);
  if (fd < 0 && errno == ENOENT && make & MAKE_FOLDER) fd = make_folders(root, path, 0755);
  else if (fd < 0 && errno == ENOENT && make & MAKE_FILE) fd = make_file(root, path, 8);
  AUTOCLOSE target = fd;
  if (target < 0) return -errno;
  if (make & MAKE_UNTRUSTED && in_own_proc(root, target)) return -EACCES;
  struct statfs fs;
  if (make & MAKE_PROC && (fstatfs(m->slots[s->a[0]], &fs) || fs.f_type != PROC_SUPER_MAGIC)) return -EACCES;
  return move_to(m->slots[s->a[0]], target);
}

static int fs_set(struct setup *m, unsigned command, const char *key, const char *value) {
  return NEG(syscall(SYS_fsconfig, m->fs, command, key, value, 0));
}

int fs_mount(struct setup *m, const struct step *s) {
  int error = fs_set(m, FSCONFIG_CMD_CREATE, NULL, NULL);
  if (!error) error = set_slot(m, s->a[0], (int)syscall(SYS_fsmount, m->fs, FSMOUNT_CLOEXEC, (unsigned)s->a[1]));
  close(m->fs);
  m->fs = -1;
  return error;
}

static int fs_open(struct setup *m, const char *type) {
  if (m->fs >= 0) close(m->fs);
  m->fs = (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
  return NEG(m->fs);
}

static int make_node(struct setup *m, const struct step *s) {
  char parent[256];
  const char *path = text(m, s->a[1]), *name = strrchr(path, '/');
  name = name ? name + 1 : path;
  if ((size_t)(name - path) >= sizeof parent) return -ENAMETOOLONG;
  memcpy(parent, path, (size_t)(name - path));
  parent[name - path] = 0;
  AUTOCLOSE folder = make_folders(m->slots[s->a[0]], parent, 0755);
  if (folder < 0) return -errno;
  mode_t mode = (mode_t)s->a[2];
  if (mknodat(folder, name, mode, (dev_t)s->a[3])) return errno == EEXIST ? 0 : -errno;
  /* mknod takes the umask off, so the mode is set again, on the node just made. */
  if (fchmodat(folder, name, mode & 07777, 0)) return -errno;
  return NEG(fchownat(folder, name, (uid_t)s->a[4], (gid_t)s->a[5], AT_SYMLINK_NOFOLLOW));
}

static int make_folder(struct setup *m, const struct step *s) {
  AUTOCLOSE folder = make_folders(m->slots[s->a[0]], text(m, s->a[1]), (mode_t)s->a[2]);
  return NEG(folder);
}

/* A file is hidden by /dev/null of the host, a folder by an empty read-only tmpfs; what is not there needs no hiding. */
static int mask(struct setup *m, const char *path) {
  AUTOCLOSE target = open_inside(m->slots[0], path, O_PATH, ROOTED);
  if (target < 0) return errno == ENOENT ? 0 : -errno;
  struct stat st;
  if (fstat(target, &st)) return -errno;
  if (S_ISDIR(st.st_mode)) {
    int error = fs_open(m, "tmpfs");
    struct step mount_it = {.a = {SLOTS - 1, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC}};
    if (!error) error = fs_mount(m, &mount_it);
    return error ? error : move_to(m->slots[SLOTS - 1], target);
  }
  AUTOCLOSE null = open_tree_at(AT_FDCWD, "/dev/null", 0);
  if (null < 0 || fstat(null, &st)) return -errno;
  if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3)) return -ENODEV;
  int error = set_attributes(null, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, 0, 0, false);
  return error ? error : move_to(null, target);
}

static int make_readonly(struct setup *m, const char *path) {
  AUTOCLOSE target = open_inside(m->slots[0], path, O_PATH, ROOTED);
  if (target < 0) return errno == ENOENT ? 0 : -errno;
  AUTOCLOSE tree = open_tree_at(target, "", AT_EMPTY_PATH | AT_RECURSIVE);
  if (tree < 0) return -errno;
  int error = set_attributes(tree, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, 0, 0, true);
  return error ? error : move_to(tree, target);
}

static int attach_root(int root, const char *path) {
  AUTOCLOSE target = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  return target < 0 ? -errno : move_to(root, target);
}

static int pivot(int root) {
  if (fchdir(root)) return -errno;
  /* "." twice: the old root lies on top of the new one and is taken off, so no folder for it is needed. */
  if (syscall(SYS_pivot_root, ".", ".")) return -errno;
  if (umount2(".", MNT_DETACH)) return -errno;
  return NEG(chdir("/"));
}

/* For kernels before 6.5, which take the layers as one option string; names in it are relative to `folder`. */
static int mount_overlay(struct setup *m, const struct step *s) {
  const char *target = text(m, s->a[2]);
  if (chdir(text(m, s->a[0])) || mount("overlay", target, "overlay", 0, text(m, s->a[1]))) return -errno;
  if (chdir("/")) return -errno;
  return set_slot(m, s->a[3], open(target, O_PATH | O_DIRECTORY | O_CLOEXEC));
}

/* A mount of the target, such as its /dev/shm. This process has one thread and is back when the step ends. */
static int tree_of(struct setup *m, const struct step *s) {
  AUTOCLOSE home = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
  if (home < 0 || setns(m->target, CLONE_NEWNS)) return -errno;
  int error = set_slot(m, s->a[0], open_tree_at(AT_FDCWD, text(m, s->a[1]), AT_SYMLINK_NOFOLLOW));
  return setns(home, CLONE_NEWNS) ? -errno : error;
}

/* Below a folder others write to: walked by the kernel, which follows no link out of it. */
static int tree_beneath(struct setup *m, const struct step *s) {
  AUTOCLOSE folder = open(text(m, s->a[1]), O_PATH | O_DIRECTORY | O_CLOEXEC);
  AUTOCLOSE inner = folder < 0 ? -1 : open_inside(folder, text(m, s->a[3]), O_PATH, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
  if (inner < 0) return -errno;
  return set_slot(m, s->a[0], open_tree_at(inner, "", AT_EMPTY_PATH | (s->a[2] ? AT_RECURSIVE : 0)));
}

int mount_step(struct setup *m, const struct step *s) {
  int slot = m->slots[s->a[0] >= 0 && s->a[0] < SLOTS ? s->a[0] : 0];
  unsigned recursive = s->a[2] ? AT_RECURSIVE : 0;
  switch (s->code) {
    case STEP_TREE: return set_slot(m, s->a[0], open_tree_at(AT_FDCWD, text(m, s->a[1]), recursive));
    case STEP_TREE_OF: return tree_of(m, s);
    case STEP_TREE_BENEATH: return tree_beneath(m, s);
    case STEP_FS_OPEN: return fs_open(m, text(m, s->a[0]));
    case STEP_FS_SET: return fs_set(m, FSCONFIG_SET_STRING, text(m, s->a[0]), text(m, s->a[1]));
    case STEP_FS_FLAG: return fs_set(m, FSCONFIG_SET_FLAG, text(m, s->a[0]), NULL);
    case STEP_FS_MOUNT: return fs_mount(m, s);
    case STEP_ATTRIBUTES: return set_attributes(slot, (uint64_t)s->a[1], (uint64_t)s->a[2], (uint64_t)s->a[3], s->a[4]);
    case STEP_ATTACH_ROOT: return attach_root(slot, text(m, s->a[1]));
    case STEP_PLACE: return place(m, s);
    case STEP_FOLDER: return make_folder(m, s);
    case STEP_NODE: return make_node(m, s);
    case STEP_SYMLINK: return symlinkat(text(m, s->a[2]), slot, text(m, s->a[1])) && errno != EEXIST ? -errno : 0;
    case STEP_MASK: return mask(m, text(m, s->a[0]));
    case STEP_READ_ONLY: return make_readonly(m, text(m, s->a[0]));
    case STEP_PROPAGATION: return NEG(mount(NULL, "/", NULL, (unsigned long)s->a[0], NULL));
    case STEP_PIVOT: return pivot(slot);
    case STEP_OPEN_FOLDER: return set_slot(m, s->a[0], open(text(m, s->a[1]), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    case STEP_MOUNT_OVERLAY: return mount_overlay(m, s);
    default: return -ENOSYS;
  }
}
