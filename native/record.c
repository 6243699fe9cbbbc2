/* What stays: the log in Docker's json-file form, rotated by size, and the exit record. */
#include "supervise.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>

static char *put_char(char *to, unsigned c) {
  static const char hex[] = "0123456789abcdef";
  if (c == '"' || c == '\\') return *to++ = '\\', *to++ = (char)c, to;
  if (c == '\n' || c == '\r') return *to++ = '\\', *to++ = c == '\n' ? 'n' : 'r', to;
  if (c >= 0x20 && c != '<' && c != '>' && c != '&') return *to++ = (char)c, to;
  memcpy(to, "\\u00", 4);
  to[4] = hex[c >> 4];
  to[5] = hex[c & 15];
  return to + 6;
}

/* Length of the valid UTF-8 character at `s`, or 0: no overlong forms, no surrogates, nothing beyond U+10FFFF. */
static size_t utf8(const unsigned char *s, size_t left) {
  size_t n = s[0] >= 0xf0 && s[0] <= 0xf4 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc2 ? 2 : 0;
  if (!n || s[0] > 0xf4 || n > left) return 0;
  for (size_t i = 1; i < n; i++)
    if ((s[i] & 0xc0) != 0x80) return 0;
  if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f)) return 0;
  if ((s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f)) return 0;
  return n;
}

static char *put_json(char *to, const char *data, size_t length) {
  const unsigned char *s = (const unsigned char *)data;
  for (size_t i = 0; i < length;) {
    size_t n = s[i] < 0x80 ? 1 : utf8(s + i, length - i);
    if (n == 1) to = put_char(to, s[i]);
    else if (n == 0) to = (char *)memcpy(to, "\\ufffd", 6) + 6;
    else if (n == 3 && s[i] == 0xe2 && s[i + 1] == 0x80 && (s[i + 2] & 0xfe) == 0xa8)
      to = (char *)memcpy(to, s[i + 2] == 0xa8 ? "\\u2028" : "\\u2029", 6) + 6;
    else to = (char *)memcpy(to, s + i, n) + n;
    i += n ? n : 1;
  }
  return to;
}

static int format_time(char *to, size_t size, const struct timespec *t) {
  struct tm tm;
  gmtime_r(&t->tv_sec, &tm);
  size_t n = strftime(to, size, "%Y-%m-%dT%H:%M:%S", &tm);
  return (int)n + snprintf(to + n, size - n, ".%09ldZ", t->tv_nsec);
}

int open_log(struct settings *s) {
  s->log = open(s->log_path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (s->log < 0) return -errno;
  struct stat st;
  if (fstat(s->log, &st)) return -errno;
  s->log_size = st.st_size;
  return 0;
}

/* What is there at `from` is at `to` then, and what was there before is not. */
static void move_file(const char *from, const char *to) {
  if (rename(from, to) && errno == ENOENT) unlink(to);
}

/* path.N-1 → path.N, …, path → path.1, each compressed or as it is: once path is not there all have been moved. */
static void shift(const struct settings *s) {
  char from[PATH_MAX], to[PATH_MAX];
  for (int64_t i = s->log_files - 1; i > 0; i--)
    for (int packed = 1; packed >= 0; packed--) {
      const char *suffix = packed ? ".gz" : "";
      int n = snprintf(to, sizeof to, "%s.%d%s", s->log_path, (int)i, suffix);
      if (i > 1) snprintf(from, sizeof from, "%s.%d%s", s->log_path, (int)i - 1, suffix);
      else snprintf(from, sizeof from, "%s%s", s->log_path, suffix);
      if (n > 0 && (size_t)n < sizeof to) move_file(from, to);
    }
}

/*
 * Begins a new file; with one file the old lines are let go. Whoever puts a compressed file in the place of one that was moved away
 * has the lock on the current one: then this is for the next record to do, since nobody who writes may wait.
 */
static void rotate(struct settings *s) {
  if (s->log_files <= 1) {
    if (ftruncate(s->log, 0) == 0) s->log_size = 0;
    return;
  }
  if (flock(s->log, LOCK_EX | LOCK_NB)) return;
  int old = s->log;
  shift(s);
  if (open_log(s) == 0) {
    flock(old, LOCK_UN);
    close(old);
    return;
  }
  s->log = old; /* better a file too large than a line lost */
  flock(old, LOCK_UN);
}

/* All of the parts, or as much of them as the disk takes. */
static size_t write_parts(int fd, struct iovec *part, int count) {
  size_t done = 0;
  while (count) {
    ssize_t n = RETRY(writev(fd, part, count));
    if (n <= 0) break;
    done += (size_t)n;
    for (; count && (size_t)n >= part->iov_len; part++, count--) n -= (ssize_t)part->iov_len;
    if (count) part->iov_base = (char *)part->iov_base + n, part->iov_len -= (size_t)n;
  }
  return done;
}

static void log_record(struct supervisor *m, const struct stream *s, bool newline) {
  struct settings *to = &m->settings;
  char start[LINE * 6 + 64], end[96], time[64], *at = start;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  format_time(time, sizeof time, &now);
  at = (char *)memcpy(at, "{\"log\":\"", 8) + 8;
  at = put_json(at, s->line, s->length);
  if (newline) at = (char *)memcpy(at, "\\n", 2) + 2;
  at += snprintf(at, 32, "\",\"stream\":\"%s\",", s->name);
  int ending = snprintf(end, sizeof end, "\"time\":\"%s\"}\n", time);
  size_t attributes = strlen(to->log_attributes), length = (size_t)(at - start) + attributes + (size_t)ending;
  struct iovec parts[] = {{start, (size_t)(at - start)}, {(void *)(uintptr_t)to->log_attributes, attributes}, {end, (size_t)ending}};
  if (to->log_max > 0 && to->log_size > 0 && to->log_size + (int64_t)length > to->log_max) rotate(to);
  size_t done = write_parts(to->log, parts, 3);
  /* a full disk must not stop the container, and half a record must not spoil the next */
  if (done < length && done && !ftruncate(to->log, to->log_size)) return;
  to->log_size += (int64_t)done;
}

/* Lines are cut at 16 KiB as Docker cuts them: the parts but the last have no newline. */
void log_output(struct supervisor *m, struct stream *s, const char *data, size_t length) {
  if (m->settings.log < 0) return;
  while (length) {
    size_t room = LINE - s->length, n = length < room ? length : room;
    const char *end = memchr(data, '\n', n);
    if (end) n = (size_t)(end - data);
    memcpy(s->line + s->length, data, n);
    s->length += n;
    data += n;
    length -= n;
    if (end || s->length == LINE) {
      log_record(m, s, end);
      s->length = 0;
    }
    if (end) data++, length--;
  }
}

void log_rest(struct supervisor *m, struct stream *s) {
  if (m->settings.log >= 0 && s->length) log_record(m, s, false);
  s->length = 0;
}

/* cgroup v1 memory.oom_control and v2 memory.events count alike. */
void read_oom(struct supervisor *m) {
  char data[1024];
  if (!m->settings.oom_file || !*m->settings.oom_file) return;
  AUTOCLOSE fd = open(m->settings.oom_file, O_RDONLY | O_CLOEXEC);
  ssize_t n = fd < 0 ? -1 : RETRY(read(fd, data, sizeof data - 1));
  if (n <= 0) return;
  data[n] = 0;
  for (const char *line = data; line; line = strchr(line, '\n')) {
    line += *line == '\n';
    if (!strncmp(line, "oom_kill ", 9)) m->oom = atoi(line + 9) > 0;
  }
}

/* Opens the monitor's folder by its path, made again where it is gone. */
int find_directory(struct settings *s) {
  char path[PATH_MAX];
  size_t length = strlen(s->directory_path);
  if (length >= sizeof path) return -ENAMETOOLONG;
  memcpy(path, s->directory_path, length + 1);
  for (char *end = path + 1; (end = strchr(end, '/')); *end++ = '/') {
    *end = 0;
    if (mkdir(path, 0700) && errno != EEXIST) return -errno;
  }
  if (mkdir(path, 0700) && errno != EEXIST) return -errno;
  int found = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (found < 0) return -errno;
  close(s->directory);
  s->directory = found;
  return 0;
}

/* Renamed into place: an engine that looks sees all of it or nothing. False when it is not there, the disk being full, say. */
bool write_exit(struct supervisor *m) {
  char record[256], time[64];
  format_time(time, sizeof time, &m->finished);
  int n = snprintf(record, sizeof record, "{\"version\":1,\"code\":%d,\"signal\":%d,\"oomKilled\":%s,\"finishedAt\":\"%s\"}\n", m->status_code,
                   m->status_signal, m->oom ? "true" : "false", time);
  AUTOCLOSE fd = openat(m->settings.directory, ".exit.json", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0 || write(fd, record, (size_t)n) != n) return false;
  return !renameat(m->settings.directory, ".exit.json", m->settings.directory, "exit.json");
}
