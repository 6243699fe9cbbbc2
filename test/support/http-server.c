/*
 * A web server as a well-behaved one is: it answers each request with $TAG after $DELAY milliseconds, and keeps the connection. At SIGTERM it
 * takes what has been connected to it already, says "Connection: close" with the next answer on each, and ends with the last one.
 *   http-server PORT
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static volatile sig_atomic_t ending;
static atomic_int connections;
static const char *tag;
static int delay;

static void end(int signal) {
  (void)signal;
  ending = 1;
}

static void *serve(void *argument) {
  int fd = (int)(long)argument;
  char request[8192];
  size_t have = 0;
  for (;;) {
    ssize_t got = read(fd, request + have, sizeof request - 1 - have);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    request[have += got] = 0;
    if (!strstr(request, "\r\n\r\n")) continue;
    have = 0;
    usleep(delay * 1000);
    int last = ending || strcasestr(request, "\r\nconnection: close") != NULL;
    char answer[512];
    int size = snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n%s\r\n%s", strlen(tag),
                        last ? "Connection: close\r\n" : "", tag);
    if (write(fd, answer, size) != size || last) break;
  }
  shutdown(fd, SHUT_WR);
  while (read(fd, request, sizeof request) > 0) continue;
  close(fd);
  connections--;
  return NULL;
}

int main(int argc, char **argv) {
  tag = getenv("TAG") ? getenv("TAG") : "";
  delay = getenv("DELAY") ? atoi(getenv("DELAY")) : 0;
  struct sigaction action = {.sa_handler = end};
  sigaction(SIGTERM, &action, NULL);
  signal(SIGPIPE, SIG_IGN);
  int yes = 1, no = 0, listener = socket(AF_INET6, SOCK_STREAM, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
  struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_port = htons(argc > 1 ? atoi(argv[1]) : 80)};
  if (bind(listener, (struct sockaddr *)&at, sizeof at) || listen(listener, 1024)) return perror("listen"), 1;
  for (;;) {
    struct pollfd ready = {.fd = listener, .events = POLLIN};
    int found = poll(&ready, 1, ending ? 0 : 50);
    if (found <= 0 && ending) break;
    if (found <= 0) continue;
    int fd = accept(listener, NULL, NULL);
    if (fd < 0) continue;
    connections++;
    pthread_t thread;
    pthread_create(&thread, NULL, serve, (void *)(long)fd);
    pthread_detach(thread);
  }
  while (connections > 0) usleep(10000);
  return 0;
}
