/*
 * For libhost.so: a folder and all that is in it → nothing, whatever a container made of it or does to it meanwhile.
 *
 * Each folder is held open and names are removed below its descriptor: a link that is swapped in leads nowhere. Depth costs
 * neither descriptors nor stack: what lies too deep is first moved up.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define FOLDER (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define DEEPEST 64
/* How often a folder is gone through again that others still write to. */
#define PATIENCE 10

struct removal {
  int top;
  int lifted, refilled, late;
  struct timespec until;
};

static int is_late(struct removal *r) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return r->late |= now.tv_sec > r->until.tv_sec || (now.tv_sec == r->until.tv_sec && now.tv_nsec > r->until.tv_nsec);
}

static int lift(struct removal *r, int fd, const char *name) {
  uint64_t random[2];
  char to[40];
  if (getrandom(random, sizeof random, 0) != sizeof random) return -errno;
  snprintf(to, sizeof to, ".%016llx%016llx", (unsigned long long)random[0], (unsigned long long)random[1]);
  r->lifted = 1;
  return renameat(fd, name, r->top, to) ? -errno : 0;
}

static int empty(struct removal *r, int fd, int depth);

static int remove_folder(struct removal *r, int fd, const char *name, int depth) {
  if (depth == DEEPEST) return lift(r, fd, name);
  int inner = openat(fd, name, FOLDER);
  if (inner < 0) return -errno;
  int result = empty(r, inner, depth + 1);
  if (result || r->late) return result;
  return unlinkat(fd, name, AT_REMOVEDIR) ? -errno : 0;
}

/* Takes the descriptor. */
static int empty(struct removal *r, int fd, int depth) {
  DIR *folder = fdopendir(fd);
  if (!folder) {
    int error = errno;
    close(fd);
    return -error;
  }
  int result = 0;
  while (!result && !is_late(r)) {
    errno = 0;
    struct dirent *entry = readdir(folder);
    if (!entry) {
      result = -errno;
      break;
    }
    const char *name = entry->d_name;
    if (name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]))) continue;
    /* unlink says which of the rest is a folder, where the listing does not */
    int step = entry->d_type == DT_DIR ? -EISDIR : unlinkat(fd, name, 0) ? -errno : 0;
    if (step == -EISDIR) step = remove_folder(r, fd, name, depth);
    /* someone else still has it open: it has become something else, or is filled again */
    if (step == -ENOENT || step == -ENOTDIR || step == -ELOOP || step == -EISDIR || step == -ENOTEMPTY) r->refilled = 1;
    else result = step;
  }
  closedir(folder);
  return result;
}

/* 0: it is gone, or was not there. 1: there is more of it after `slice` ms: to be called again. */
int host_remove_folder(const char *path, int slice) {
  struct removal r = {.top = open(path, FOLDER)};
  if (r.top < 0) return errno == ENOENT ? 0 : -errno;
  clock_gettime(CLOCK_MONOTONIC, &r.until);
  r.until.tv_nsec += slice * 1000000L;
  r.until.tv_sec += r.until.tv_nsec / 1000000000L;
  r.until.tv_nsec %= 1000000000L;
  int result = 0;
  for (int refills = 0; !result && !r.late;) {
    r.lifted = r.refilled = 0;
    int again = openat(r.top, ".", FOLDER);
    result = again < 0 ? -errno : empty(&r, again, 0);
    if (!r.lifted && (!r.refilled || ++refills > PATIENCE)) break;
  }
  close(r.top);
  if (result) return result;
  if (r.late) return 1;
  return unlinkat(AT_FDCWD, path, AT_REMOVEDIR) ? -errno : 0;
}
