/*
 * Ports of the host for an engine without root rights. A process outside of its namespaces opens them, the one that holds the namespaces gets
 * them as descriptors and relays what comes to containers, in the name of whoever sent it: the socket towards the container has the client's own
 * address (ip(7), IP_TRANSPARENT). Both outlive the engine.
 */
#include "rootless.h"
#include <sys/epoll.h>
#include <sys/socket.h>

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

bool is_four(const uint8_t address[16]) { return !memcmp(address, mapped, sizeof mapped); }

socklen_t socket_address(const uint8_t address[16], uint16_t port, struct sockaddr_storage *out) {
  memset(out, 0, sizeof *out);
  if (is_four(address)) {
    struct sockaddr_in *four = (void *)out;
    four->sin_family = AF_INET;
    four->sin_port = htons(port);
    memcpy(&four->sin_addr, address + 12, 4);
    return sizeof *four;
  }
  struct sockaddr_in6 *six = (void *)out;
  six->sin6_family = AF_INET6;
  six->sin6_port = htons(port);
  memcpy(&six->sin6_addr, address, 16);
  return sizeof *six;
}

void plain_address(const struct sockaddr_storage *from, uint8_t address[16], uint16_t *port) {
  if (from->ss_family == AF_INET) {
    const struct sockaddr_in *four = (const void *)from;
    memcpy(address, mapped, sizeof mapped);
    memcpy(address + 12, &four->sin_addr, 4);
    *port = ntohs(four->sin_port);
    return;
  }
  const struct sockaddr_in6 *six = (const void *)from;
  memcpy(address, &six->sin6_addr, 16);
  *port = ntohs(six->sin6_port);
}

static int opened(const struct port_request *asked, uint32_t *port) {
  struct sockaddr_storage address;
  socklen_t size = socket_address(asked->address, asked->port, &address);
  bool tcp = asked->protocol == IPPROTO_TCP;
  int one = 1, fd = socket(address.ss_family, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -errno;
  int error = tcp && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) ? errno : 0;
  if (!error && address.ss_family == AF_INET6 && setsockopt(fd, SOL_IPV6, IPV6_V6ONLY, &one, sizeof one)) error = errno;
  if (!error && !tcp) {
    bool four = address.ss_family == AF_INET;
    /* answers leave from the address that was asked */
    if (setsockopt(fd, four ? SOL_IP : SOL_IPV6, four ? IP_PKTINFO : IPV6_RECVPKTINFO, &one, sizeof one)) error = errno;
  }
  if (!error && (bind(fd, (struct sockaddr *)&address, size) || (tcp && listen(fd, 4096)))) error = errno;
  if (!error && getsockname(fd, (struct sockaddr *)&address, &size)) error = errno;
  if (error) {
    close(fd);
    return -error;
  }
  uint8_t unused[16];
  uint16_t number;
  plain_address(&address, unused, &number);
  *port = number;
  return fd;
}

union rights {
  struct cmsghdr header;
  char bytes[CMSG_SPACE(sizeof(int))];
};

int open_ports(int asked) {
  struct port_request request;
  while (RETRY(recv(asked, &request, sizeof request, 0)) == sizeof request) {
    struct port_answer answer = {0};
    AUTOCLOSE fd = opened(&request, &answer.port);
    answer.result = fd < 0 ? fd : 0;
    struct iovec part = {&answer, sizeof answer};
    union rights rights = {0};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd >= 0) {
      message.msg_control = rights.bytes;
      message.msg_controllen = sizeof rights.bytes;
      rights.header = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
      memcpy(CMSG_DATA(&rights.header), &fd, sizeof(int));
    }
    if (RETRY(sendmsg(asked, &message, MSG_NOSIGNAL)) < 0) break;
  }
  return 0;
}

/* A port of the host as a descriptor, or -errno. */
int ask_outside(int outside, const struct port_request *request, uint32_t *port) {
  struct port_answer answer;
  struct iovec part = {&answer, sizeof answer};
  union rights rights = {0};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = rights.bytes, .msg_controllen = sizeof rights.bytes};
  if (RETRY(send(outside, request, sizeof *request, MSG_NOSIGNAL)) < 0) return -errno;
  ssize_t n = RETRY(recvmsg(outside, &message, MSG_CMSG_CLOEXEC));
  if (n != sizeof answer) return n < 0 ? -errno : -EPIPE;
  if (answer.result < 0) return answer.result;
  const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (!header || header->cmsg_type != SCM_RIGHTS) return -EPROTO;
  int fd;
  memcpy(&fd, CMSG_DATA(header), sizeof fd);
  *port = answer.port;
  return fd;
}
