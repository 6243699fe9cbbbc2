/* What the parts of the monitor share: the decoded program and the one struct of state. */
#ifndef MONITOR_H
#define MONITOR_H
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>
#include "steps.h"

#define MAGIC 0x50435354u /* "TSCP" */
#define VERSION 1u
#define MAX_PROGRAM (16u << 20)
#define SLOTS 16
#define MAX_CLIENTS 64
#define FRAME 65536u
#define CLIENT_BUFFER (256u << 10)
#define LINE 16384u
#define PIPE_LIMIT (1u << 20) /* the most a pipe of an unprivileged process holds */

#define RETRY(x) ({ __typeof__(x) r_; do r_ = (x); while (r_ < 0 && errno == EINTR); r_; })
#define NEG(x) ((x) < 0 ? -errno : 0)

static inline void close_it(int *fd) {
  if (*fd >= 0) close(*fd);
}
#define AUTOCLOSE __attribute__((cleanup(close_it))) int

struct header {
  uint32_t magic, version, host, child, undo, pool;
};

struct step {
  uint32_t code, after; /* after: an undo step's condition, the host step that must have been done */
  int64_t a[6];
};

struct program {
  const struct step *steps; /* host, then child, then undo */
  const char *pool;
  uint32_t host, child, undo, size;
};

enum frame { TO_PROGRAM = 1, TO_SIGNAL, TO_RESIZE, TO_ATTACH, TO_STDIN, TO_STDIN_END };
enum report { FROM_STARTED = 1, FROM_FAILED, FROM_STDOUT, FROM_STDERR, FROM_EXITED };
enum { ATTACH_STDIN = 1, ATTACH_STDOUT = 2, ATTACH_STDERR = 4 };
enum { STDIO_TERMINAL = 1, STDIO_STDIN = 2, STDIO_ONCE = 4 };
enum { MAKE_FOLDER = 1, MAKE_FILE = 2, MAKE_UNTRUSTED = 4, MAKE_PROC = 8, MAKE_LIKE = 16 };

struct buffer {
  char *data;
  size_t start, length, capacity;
};

struct client {
  int fd;
  int attach;
  struct buffer out;
  struct buffer in;
};

struct stream {
  const char *name;
  int fd;
  enum report frame;
  char line[LINE];
  size_t length;
};

struct monitor {
  struct program program;
  int socket;            /* the engine's connection; later clients[0] */
  int slots[SLOTS];
  int fs;                /* the file system being configured */
  int netlink[2];        /* requests in the host's network namespace, and in the container's */
  int home, netns;       /* the network namespace we came from, and the one we are in */
  int target;            /* pidfd of the process whose namespaces are joined */
  uint32_t done;         /* host steps */
  int report;            /* child → monitor: failure, or the terminal */
  pid_t pid;
  int pidfd;
  int status_code, status_signal;
  bool exited, oom;
  struct timespec started, finished;
  /* from the steps supervise, log and stdio */
  const char *oom_file, *log_path;
  int directory, log, stdio, attach, rows, columns, uid;
  int64_t log_size, log_max, log_files;
  uint64_t clone_flags;
  int child_stdio[3];
  int input, terminal_peer, listener;
  struct stream streams[2];
  struct buffer stdin_buffer;
  bool stdin_ended;
  struct client clients[MAX_CLIENTS];
  int client_count;
};

/* Beside the number of a step that failed: messages that come with a descriptor. */
enum { REPORT_NONE = -1, REPORT_TERMINAL = -2, REPORT_FORKED = -3 };

struct child_report {
  int32_t step, error;
};

static inline const char *text(const struct monitor *m, int64_t offset) { return m->program.pool + offset; }

/* decode.c */
int decode(const char *bytes, size_t length, struct program *program);
/* run.c */
int run_step(struct monitor *m, const struct step *s);
/* mount.c */
int set_slot(struct monitor *m, int64_t slot, int fd);
int open_inside(int root, const char *path, uint64_t flags, uint64_t resolve);
int make_folders(int root, const char *path, mode_t mode);
int mount_step(struct monitor *m, const struct step *s);
/* process.c */
int process_step(struct monitor *m, const struct step *s);
/* netns.c */
int prepare_home(const char *path);
int netlink_here(int *fd);
int enter_netns(struct monitor *m, const char *path);
int leave_netns(struct monitor *m);
int keep_netns(const char *path);
int drop_netns(const char *path);
/* netlink.c */
int network_step(struct monitor *m, const struct step *s);
/* supervise.c */
int prepare_stdio(struct monitor *m);
int supervise(struct monitor *m);
/* clients.c */
int listen_for_clients(struct monitor *m);
void accept_client(struct monitor *m);
bool read_client(struct monitor *m, struct client *c);
bool flush_client(struct client *c);
void drop_client(struct monitor *m, int index);
void add_client(struct monitor *m, int fd, int attach);
void send_frame(struct client *c, enum report type, const void *data, uint32_t length);
void send_started(struct monitor *m, struct client *c);
void send_exited(struct monitor *m, struct client *c);
bool reserve(struct buffer *b, size_t more);
/* record.c */
int open_log(struct monitor *m);
void log_output(struct monitor *m, struct stream *s, const char *data, size_t length);
void log_rest(struct monitor *m, struct stream *s);
void write_exit(struct monitor *m);
void read_oom(struct monitor *m);

#endif
