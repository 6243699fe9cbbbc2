/* Setting up: the steps of a program, on the host and in the child, until the command runs. */
#ifndef SETUP_H
#define SETUP_H
#include "frames.h"
#include "program.h"
#include "settings.h"
#include <linux/openat2.h>

enum { MAKE_FOLDER = 1, MAKE_FILE = 2, MAKE_UNTRUSTED = 4, MAKE_PROC = 8, MAKE_LIKE = 16 };

#define OUTSIDE 8

struct setup {
  struct program program;
  struct settings *settings;
  int engine;            /* the connection that the program came by */
  int slots[SLOTS];
  int fs;                /* the file system being configured */
  int netlink[2];        /* requests in the host's network namespace, and in the container's */
  int home, netns;       /* the network namespace we came from, and the one we are in */
  int user, owned_net;   /* the user namespace of the container, and a network namespace that belongs to it */
  int mounts;            /* the mount namespace that the child leaves for one of the user namespace */
  int target;            /* pidfd of the process whose namespaces are joined */
  uint32_t done;         /* host steps */
  uint64_t clone_flags;
  int birth;             /* the cgroup that the child begins in, or -1 for our own */
  int child_stdio[3];
  int report;            /* child → monitor: failure, or the terminal */
  int outside[OUTSIDE];  /* descriptors that nobody inside may get hold of */
};

/* Beside the number of a step that failed: messages that come with a descriptor. */
enum { REPORT_NONE = -1, REPORT_TERMINAL = -2, REPORT_FORKED = -3 };

struct child_report {
  int32_t step, error;
};

static inline const char *text(const struct setup *m, int64_t offset) { return m->program.pool + offset; }

/* run.c */
int enter_group(const char *path);
int run_step(struct setup *m, const struct step *s);
/* inside.c */
#define ROOTED (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
int open_inside(int root, const char *path, uint64_t flags, uint64_t resolve);
int make_folders(int root, const char *path, mode_t mode);
int make_file(int root, const char *path, int links);
/* mount.c */
int set_slot(struct setup *m, int64_t slot, int fd);
int fs_mount(struct setup *m, const struct step *s);
int mount_step(struct setup *m, const struct step *s);
/* process.c */
int process_step(struct setup *m, const struct step *s);
/* netns.c */
int prepare_home(const char *path);
int netlink_here(int *fd);
int enter_netns(struct setup *m, const char *path);
int leave_netns(struct setup *m);
int keep_netns(const char *path);
int drop_netns(const char *path);
int enter_owned_netns(struct setup *m);
/* pidfd.c */
pid_t pid_of(int pidfd);
void end_process(int pidfd);
/* userns.c */
void hold_mounts(struct setup *m, pid_t child);
int user_step(struct setup *m, const struct step *s);
/* netlink.c */
int network_step(struct setup *m, const struct step *s);

#endif
