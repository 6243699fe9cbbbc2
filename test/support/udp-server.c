/* Answers each datagram on the port it is given with what it got, a blank and $TAG; ends by SIGTERM. */
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void end(int signal) {
  (void)signal;
  _exit(0);
}

int main(int argc, char **argv) {
  struct sockaddr_in6 place = {.sin6_family = AF_INET6, .sin6_port = htons(argc > 1 ? atoi(argv[1]) : 0)};
  const char *tag = getenv("TAG");
  char text[600];
  int fd = socket(AF_INET6, SOCK_DGRAM, 0);
  signal(SIGTERM, end);
  if (fd < 0 || bind(fd, (struct sockaddr *)&place, sizeof place) < 0) {
    perror("udp-server");
    return 1;
  }
  for (;;) {
    struct sockaddr_in6 from;
    socklen_t size = sizeof from;
    ssize_t got = recvfrom(fd, text, 500, 0, (struct sockaddr *)&from, &size);
    if (got < 0)
      continue;
    got += snprintf(text + got, sizeof text - got, " %s", tag ? tag : "");
    sendto(fd, text, got, 0, (struct sockaddr *)&from, size);
  }
}
