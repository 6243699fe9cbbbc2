/* What stays: the log in Docker's json-file form, rotated by size, and the exit record. */
#include "supervise.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>

#define ATTRIBUTES (64u << 10)
/* The longest. */
#define RECORD (LINE * 6 + ATTRIBUTES + 128)

/* Records that are written next: whole ones, each with a newline at its end and nowhere else. */
static struct {
  size_t length;
  char data[RECORD + 2 * FRAME];
} batch;

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

/* What stands in JSON as it is: printable characters but " & < > and \. */
static const bool plain[256] = {
  [' ' ... '!'] = true, ['#' ... '%'] = true, ['\'' ... ';'] = true, ['='] = true, ['?' ... '['] = true, [']' ... '~'] = true,
};

static char *put_json(char *to, const char *data, size_t length) {
  const unsigned char *s = (const unsigned char *)data;
  for (size_t i = 0; i < length;) {
    size_t run = i;
    while (run < length && plain[s[run]]) run++;
    to = (char *)memcpy(to, s + i, run - i) + (run - i);
    if ((i = run) == length) break;
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

/* RFC 3339 with nanoseconds, TIME characters; the calendar is asked once a second. */
#define TIME 30
static char *put_time(char *to, const struct timespec *t) {
  static char second[sizeof "2026-01-01T00:00:00."];
  static time_t known = -1;
  if (t->tv_sec != known) {
    struct tm tm;
    gmtime_r(&t->tv_sec, &tm);
    strftime(second, sizeof second, "%Y-%m-%dT%H:%M:%S.", &tm);
    known = t->tv_sec;
  }
  memcpy(to, second, 20);
  long left = t->tv_nsec;
  for (int i = 28; i >= 20; i--, left /= 10) to[i] = (char)('0' + left % 10);
  to[29] = 'Z';
  return to + TIME;
}

int open_log(struct settings *s) {
  if (strlen(s->log_attributes) > ATTRIBUTES) return -E2BIG;
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

/* Written in one piece; a full disk must not stop the container, and half a record must not spoil the next. */
static void write_batch(struct settings *to) {
  size_t done = 0;
  while (done < batch.length) {
    ssize_t n = RETRY(write(to->log, batch.data + done, batch.length - done));
    if (n <= 0) break;
    done += (size_t)n;
  }
  if (done < batch.length) {
    const char *last = memrchr(batch.data, '\n', done);
    size_t whole = last ? (size_t)(last + 1 - batch.data) : 0;
    if (whole == done || !ftruncate(to->log, to->log_size + (int64_t)whole)) done = whole;
  }
  to->log_size += (int64_t)done;
  batch.length = 0;
}

static void log_record(struct supervisor *m, const struct stream *s, bool newline) {
  struct settings *to = &m->settings;
  if (sizeof batch.data - batch.length < RECORD) write_batch(to);
  char *start = batch.data + batch.length, *at = start;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  at = (char *)memcpy(at, "{\"log\":\"", 8) + 8;
  at = put_json(at, s->line, s->length);
  if (newline) at = (char *)memcpy(at, "\\n", 2) + 2;
  at = stpcpy(stpcpy(stpcpy(at, "\",\"stream\":\""), s->name), "\",");
  at = stpcpy(stpcpy(at, to->log_attributes), "\"time\":\"");
  at = (char *)memcpy(put_time(at, &now), "\"}\n", 3) + 3;
  size_t length = (size_t)(at - start);
  int64_t before = to->log_size + (int64_t)batch.length;
  if (to->log_max > 0 && before > 0 && before + (int64_t)length > to->log_max) {
    write_batch(to);
    rotate(to);
    memmove(batch.data, start, length);
  }
  batch.length += length;
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
  write_batch(&m->settings);
}

void log_rest(struct supervisor *m, struct stream *s) {
  if (m->settings.log >= 0 && s->length) {
    log_record(m, s, false);
    write_batch(&m->settings);
  }
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
  char record[256], time[TIME + 1] = "";
  put_time(time, &m->finished);
  int n = snprintf(record, sizeof record, "{\"version\":1,\"code\":%d,\"signal\":%d,\"oomKilled\":%s,\"finishedAt\":\"%s\"}\n", m->status_code,
                   m->status_signal, m->oom ? "true" : "false", time);
  AUTOCLOSE fd = openat(m->settings.directory, ".exit.json", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0 || write(fd, record, (size_t)n) != n) return false;
  return !renameat(m->settings.directory, ".exit.json", m->settings.directory, "exit.json");
}
