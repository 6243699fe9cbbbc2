/* Network namespaces: made, kept at a path, entered and left. */
#include "setup.h"
#include <linux/netlink.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* The folder as iproute2 makes it: shared, so that a namespace dropped here is dropped everywhere. */
int prepare_home(const char *path) {
  if (mkdir(path, 0755) && errno != EEXIST) return -errno;
  if (mount("", path, "none", MS_SHARED | MS_REC, NULL) == 0) return 0;
  if (errno != EINVAL || mount(path, path, "none", MS_BIND | MS_REC, NULL)) return -errno;
  return NEG(mount("", path, "none", MS_SHARED | MS_REC, NULL));
}

/* The socket for requests in the namespace we are in. */
int netlink_here(int *fd) {
  if (*fd < 0) *fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  return NEG(*fd);
}

static int arrived(struct setup *m) {
  m->netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  return m->netns < 0 ? -errno : netlink_here(&m->netlink[1]);
}

static int leave_home(struct setup *m) {
  if (m->home < 0) m->home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  return m->home < 0 ? -errno : netlink_here(&m->netlink[0]);
}

int enter_netns(struct setup *m, const char *path) {
  int error = leave_home(m);
  if (error) return error;
  if (!path) return unshare(CLONE_NEWNET) ? -errno : arrived(m);
  AUTOCLOSE fd = open(path, O_RDONLY | O_CLOEXEC);
  return fd < 0 || setns(fd, CLONE_NEWNET) ? -errno : arrived(m);
}

/* The one that was made with the user namespace. */
int enter_owned_netns(struct setup *m) {
  int error = leave_home(m);
  if (error) return error;
  return setns(m->owned_net, CLONE_NEWNET) ? -errno : arrived(m);
}

int leave_netns(struct setup *m) {
  if (setns(m->home, CLONE_NEWNET)) return -errno;
  close(m->netns);
  close(m->netlink[1]);
  m->netns = m->netlink[1] = -1;
  return 0;
}

int keep_netns(const char *path) {
  AUTOCLOSE point = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0);
  if (point < 0) return -errno;
  if (mount("/proc/self/ns/net", path, "none", MS_BIND, NULL) == 0) return 0;
  int error = errno;
  unlink(path);
  return -error;
}

int drop_netns(const char *path) {
  if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) && errno != EINVAL && errno != ENOENT) return -errno;
  return unlink(path) && errno != ENOENT ? -errno : 0;
}
