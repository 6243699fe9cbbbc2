/*
 * What containers do while engines are timed.
 *   load sink PORT                     takes connections and what comes on them
 *   load send HOST PORT SECONDS        sends as fast as it is taken; prints bits a second
 *   load dns NAME SECONDS IN-FLIGHT    asks 127.0.0.11 for an IPv4 address of NAME; prints answers a second
 *   load lines BYTES                   prints lines of 100 bytes, BYTES altogether
 *   load pause                         does nothing until it is killed
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define PIECE (128 << 10)

static double now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static int failed(const char *what) {
  perror(what);
  return 1;
}

static void *swallow(void *connection) {
  int fd = (int)(intptr_t)connection;
  char *piece = malloc(PIECE);
  while (read(fd, piece, PIECE) > 0) continue;
  free(piece);
  close(fd);
  return NULL;
}

static int sink(const char *port) {
  int yes = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(listener, (struct sockaddr *)&at, sizeof at) || listen(listener, 64)) return failed("listen");
  for (;;) {
    int fd = accept(listener, NULL, NULL);
    pthread_t thread;
    if (fd >= 0 && !pthread_create(&thread, NULL, swallow, (void *)(intptr_t)fd)) pthread_detach(thread);
  }
}

static int send_all(const char *address, const char *port, double seconds) {
  static char piece[PIECE];
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (inet_pton(AF_INET, address, &at.sin_addr) != 1 || connect(fd, (struct sockaddr *)&at, sizeof at))
    return failed("connect");
  double start = now(), sent = 0;
  while (now() - start < seconds) {
    ssize_t took = write(fd, piece, sizeof piece);
    if (took < 0) return failed("write");
    sent += (double)took;
  }
  printf("%.0f\n", sent * 8 / (now() - start));
  return 0;
}

/* A question of RFC 1035, section 4.1. */
static size_t question(unsigned char *packet, const char *name) {
  size_t size = 12;
  memcpy(packet, "\0\0\1\0\0\1\0\0\0\0\0\0", 12);
  for (const char *label = name; *label;) {
    size_t length = strcspn(label, ".");
    packet[size++] = (unsigned char)length;
    memcpy(packet + size, label, length);
    size += length;
    label += length + (label[length] == '.');
  }
  memcpy(packet + size, "\0\0\1\0\1", 5);
  return size + 5;
}

static int dns(const char *name, double seconds, int in_flight) {
  unsigned char packet[512], answer[512];
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(53)};
  struct timeval patience = {.tv_sec = 2};
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  inet_pton(AF_INET, "127.0.0.11", &at.sin_addr);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (strlen(name) > 200 || connect(fd, (struct sockaddr *)&at, sizeof at)) return failed("connect");
  size_t size = question(packet, name);
  double start = now();
  long answers = 0;
  for (uint16_t id = 0; now() - start < seconds;) {
    for (; in_flight > 0; in_flight--, id++) {
      packet[0] = (unsigned char)(id >> 8), packet[1] = (unsigned char)id;
      if (send(fd, packet, size, 0) < 0) return failed("send");
    }
    if (recv(fd, answer, sizeof answer, 0) < 12) return failed("recv");
    /* no error, and an answer in it */
    if ((answer[3] & 15) || !answer[7]) return fprintf(stderr, "no address for %s\n", name), 1;
    answers++, in_flight++;
  }
  printf("%.0f\n", (double)answers / (now() - start));
  return 0;
}

static int lines(long bytes) {
  static char buffer[64 << 10];
  setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
  for (long line = 0; line < bytes / 100; line++)
    printf("%010ld 2026-01-01 INFO request took 12 ms and was answered with 200, by worker 7 of 16, cached.\n", line);
  return fflush(stdout) ? failed("write") : 0;
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  signal(SIGPIPE, SIG_IGN);
  if (!strcmp(what, "sink") && argc == 3) return sink(argv[2]);
  if (!strcmp(what, "send") && argc == 5) return send_all(argv[2], argv[3], atof(argv[4]));
  if (!strcmp(what, "dns") && argc == 5) return dns(argv[2], atof(argv[3]), atoi(argv[4]));
  if (!strcmp(what, "lines") && argc == 3) return lines(atol(argv[2]));
  if (!strcmp(what, "pause") && argc == 2) return pause();
  return fprintf(stderr, "load: what is to be done?\n"), 2;
}
