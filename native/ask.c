/* One request of rtnetlink(7) and its answer, for the monitor and for the relay of an engine without root rights. */
#include "system.h"
#include <linux/netlink.h>
#include <sys/socket.h>

int netlink_ask(int fd, const struct nlmsghdr *request) {
  char answer[4096] __attribute__((aligned(8)));
  if (RETRY(send(fd, request, request->nlmsg_len, 0)) < 0) return -errno;
  ssize_t n = RETRY(recv(fd, answer, sizeof answer, 0));
  if (n < 0) return -errno;
  const struct nlmsghdr *head = (const void *)answer;
  if (!NLMSG_OK(head, (size_t)n) || head->nlmsg_type != NLMSG_ERROR) return -EPROTO;
  return ((const struct nlmsgerr *)NLMSG_DATA(head))->error;
}
