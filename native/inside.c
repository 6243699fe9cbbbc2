/* Paths inside a root: walked by the kernel, within that root, and made where they are missing. */
#include "setup.h"
#include <sys/stat.h>
#include <sys/syscall.h>

/* A walk with ".." in it is given up (EAGAIN) when anything is renamed or mounted on the machine meanwhile; it is for us to begin it again. */
int open_inside(int root, const char *path, uint64_t flags, uint64_t resolve) {
  struct open_how how = {.flags = flags | O_CLOEXEC, .resolve = resolve};
  while (*path == '/') path++;
  int fd, tries = 0;
  do fd = RETRY((int)syscall(SYS_openat2, root, *path ? path : ".", &how, sizeof how));
  while (fd < 0 && errno == EAGAIN && ++tries < 1000);
  return fd;
}

/* The folder at `path` inside root, made with those above it. A link on the way is followed inside the root. */
int make_folders(int root, const char *path, mode_t mode) {
  char part[4096];
  size_t length = strlen(path);
  if (length >= sizeof part) return errno = ENAMETOOLONG, -1;
  int folder = open_inside(root, path, O_PATH | O_DIRECTORY, ROOTED);
  if (folder >= 0 || errno != ENOENT) return folder;
  folder = open_inside(root, "/", O_PATH | O_DIRECTORY, ROOTED);
  for (const char *at = path; folder >= 0 && *at;) {
    at += strspn(at, "/");
    size_t size = strcspn(at, "/");
    if (!size) break;
    memcpy(part, path, (size_t)(at - path) + size);
    part[(size_t)(at - path) + size] = 0;
    int next = open_inside(root, part, O_PATH | O_DIRECTORY, ROOTED);
    if (next < 0 && errno == ENOENT && (mkdirat(folder, part + (at - path), mode) == 0 || errno == EEXIST))
      next = open_inside(folder, part + (at - path), O_PATH | O_DIRECTORY, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
    int error = errno;
    close(folder);
    errno = error;
    folder = next;
    at += size;
  }
  return folder;
}

/* The last name may be a link to what is not there, as /etc/resolv.conf often is: the file is made where it leads, inside the root. */
int make_file(int root, const char *path, int links) {
  char parent[4096], target[4096];
  const char *name = strrchr(path, '/');
  size_t size = name ? (size_t)(name - path) : 0;
  if (!name || !name[1] || size >= sizeof parent) return errno = EINVAL, -1;
  memcpy(parent, path, size);
  parent[size] = 0;
  AUTOCLOSE folder = make_folders(root, parent, 0755);
  if (folder < 0) return -1;
  AUTOCLOSE file = openat(folder, name + 1, O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_WRONLY, 0644);
  if (file >= 0) return openat(folder, name + 1, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  ssize_t n = errno == EEXIST ? readlinkat(folder, name + 1, target, sizeof target - 1) : -1;
  if (n < 0) return -1;
  target[n] = 0;
  if (*target == '/') size = 0;
  if (!links || size + (size_t)n + 2 > sizeof parent) return errno = ELOOP, -1;
  parent[size] = '/';
  memcpy(parent + size + 1, target, (size_t)n + 1);
  return make_file(root, parent, links - 1);
}
