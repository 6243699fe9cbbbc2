/* What the steps supervise, log and stdio say: set while the process is set up, used as long as it lives. */
#ifndef SETTINGS_H
#define SETTINGS_H
#include "system.h"

enum { STDIO_TERMINAL = 1, STDIO_STDIN = 2, STDIO_ONCE = 4 };

struct settings {
  int directory; /* the monitor's own */
  const char *directory_path;
  bool lasting; /* how it ends must become known, whoever is there to hear it */
  const char *oom_file;
  const char *log_path, *log_attributes; /* the latter as a member of each record, with its comma, or "" */
  int log;
  int64_t log_size, log_max, log_files;
  int stdio, attach, rows, columns, uid;
};

/* record.c */
int open_log(struct settings *s);

#endif
