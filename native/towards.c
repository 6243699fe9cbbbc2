/* The way to a container in a client's name. */
#include "rootless.h"
#include <sys/socket.h>

/* Nobody else's way leads to a loopback or a link, so that a container could answer. */
static bool has_name_outside(const uint8_t address[16]) {
  if (is_four(address)) return address[12] != 127 && address[12];
  static const uint8_t loopback[16] = {[15] = 1};
  return memcmp(address, loopback, 16) && !(address[0] == 0xfe && (address[1] & 0xc0) == 0x80);
}

/* A socket whose way leads to the port's container: as the client, where it has a name that the container could answer to. */
int towards(const struct port *port, const struct sockaddr_storage *client, int type) {
  uint8_t name[16];
  uint16_t number;
  int one = 1, mark = MARK_SENT;
  struct sockaddr_storage own, other;
  plain_address(client, name, &number);
  socklen_t size = socket_address(port->asked.to, port->asked.to_port, &other);
  bool named = is_four(name) == is_four(port->asked.to) && has_name_outside(name);
  for (;; named = false) {
    int fd = socket(other.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -errno;
    bool four = other.ss_family == AF_INET;
    if (named && (setsockopt(fd, four ? SOL_IP : SOL_IPV6, four ? IP_TRANSPARENT : IPV6_TRANSPARENT, &one, sizeof one) ||
                  setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark) ||
                  bind(fd, (struct sockaddr *)&own, socket_address(name, number, &own)))) {
      close(fd);
      continue;
    }
    if (!connect(fd, (struct sockaddr *)&other, size) || errno == EINPROGRESS) return fd;
    int error = -errno;
    close(fd);
    return error;
  }
}
