/* udp-ask HOST PORT TEXT...: sends each text from one socket and prints its answer, which counts only from where it was asked; 1 when one stays away. */
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

int main(int argc, char **argv) {
  struct addrinfo *place, hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
  struct timeval patience = {.tv_sec = 3};
  char text[600];
  if (argc < 4 || getaddrinfo(argv[1], argv[2], &hints, &place))
    return 2;
  int fd = socket(place->ai_family, SOCK_DGRAM, 0);
  if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) ||
      connect(fd, place->ai_addr, place->ai_addrlen)) {
    perror("udp-ask");
    return 2;
  }
  for (int i = 3; i < argc; i++) {
    ssize_t got = send(fd, argv[i], strlen(argv[i]), 0) < 0 ? -1 : recv(fd, text, sizeof text, 0);
    if (got < 0) {
      perror(argv[i]);
      return 1;
    }
    printf("%.*s\n", (int)got, text);
  }
  return 0;
}
