/* Supervising: a started process, its output and input, whoever talks to its monitor, and what is written down of it. */
#ifndef SUPERVISE_H
#define SUPERVISE_H
#include "frames.h"
#include "settings.h"

#define MAX_CLIENTS 64
#define FRAME 65536u
#define CLIENT_BUFFER (256u << 10)
#define LINE 16384u
#define RECORD_AGAIN 1000 /* milliseconds */
#define PIPE_LIMIT (1u << 20) /* the most a pipe of an unprivileged process holds */

enum { ATTACH_STDIN = 1, ATTACH_STDOUT = 2, ATTACH_STDERR = 4 };

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

struct supervisor {
  struct settings settings;
  pid_t pid;
  int pidfd;
  int status_code, status_signal;
  bool exited, oom;
  bool unrecorded, told; /* the exit: not written down yet; heard of by somebody */
  struct timespec started, finished;
  int input, terminal_peer, listener, wake;
  struct stream streams[2];
  struct buffer stdin_buffer;
  bool stdin_ended;
  struct client clients[MAX_CLIENTS];
  int client_count;
};

/* supervise.c */
int prepare_stdio(struct supervisor *m, int child[3]);
int supervise(struct supervisor *m);
/* clients.c */
int listen_for_clients(struct supervisor *m);
int listen_again(struct supervisor *m);
void accept_client(struct supervisor *m);
bool read_client(struct supervisor *m, struct client *c);
bool flush_client(struct client *c);
void drop_client(struct supervisor *m, int index);
void add_client(struct supervisor *m, int fd, int attach);
void send_frame(struct client *c, enum report type, const void *data, uint32_t length);
void send_started(struct supervisor *m, struct client *c);
void send_exited(struct supervisor *m, struct client *c);
bool reserve(struct buffer *b, size_t more);
/* record.c */
void log_output(struct supervisor *m, struct stream *s, const char *data, size_t length);
void log_rest(struct supervisor *m, struct stream *s);
bool write_exit(struct supervisor *m);
int find_directory(struct settings *s);
void read_oom(struct supervisor *m);

#endif
