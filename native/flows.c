/* Flows the kernel remembers, forgotten: so that the next packet of each is led by the rules there are now. */
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Which members of a tuple a filter compares; the kernel's own header keeps these to itself. */
enum { FILTER_DESTINATION = 1 << 1, FILTER_PROTOCOL = 1 << 3, FILTER_DESTINATION_PORT = 1 << 5 };

struct request {
  struct nlmsghdr head;
  struct nfgenmsg family;
  char body[256];
};

static void put(struct request *r, uint16_t type, const void *data, size_t length) {
  struct nlattr head = {(uint16_t)(sizeof head + length), type};
  char *at = (char *)r + r->head.nlmsg_len;
  memcpy(at, &head, sizeof head);
  if (length) memcpy(at + sizeof head, data, length);
  r->head.nlmsg_len += (uint32_t)NLA_ALIGN(sizeof head + length);
}

static uint32_t open_nest(struct request *r, uint16_t type) {
  uint32_t at = r->head.nlmsg_len;
  put(r, type | NLA_F_NESTED, NULL, 0);
  return at;
}

static void close_nest(struct request *r, uint32_t at) {
  ((struct nlattr *)(void *)((char *)r + at))->nla_len = (uint16_t)(r->head.nlmsg_len - at);
}

/* Those that were sent to this place of the host first. `size` is 4 or 16. Returns 0 or -errno: -ENOENT when there was none. */
int host_forget_flows(const uint8_t *address, int size, int protocol, int port) {
  struct request r = {
    .head = {NLMSG_LENGTH(sizeof(struct nfgenmsg)), NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE, NLM_F_REQUEST | NLM_F_ACK, 1, 0},
    .family = {size == 4 ? AF_INET : AF_INET6, NFNETLINK_V0, 0},
  };
  uint8_t number = (uint8_t)protocol, place[2] = {(uint8_t)(port >> 8), (uint8_t)port};
  uint32_t compared = FILTER_DESTINATION | FILTER_PROTOCOL | FILTER_DESTINATION_PORT, none = 0;
  uint32_t tuple = open_nest(&r, CTA_TUPLE_ORIG), ip = open_nest(&r, CTA_TUPLE_IP);
  put(&r, size == 4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, address, (size_t)size);
  close_nest(&r, ip);
  uint32_t proto = open_nest(&r, CTA_TUPLE_PROTO);
  put(&r, CTA_PROTO_NUM, &number, 1);
  put(&r, CTA_PROTO_DST_PORT, place, 2);
  close_nest(&r, proto);
  close_nest(&r, tuple);
  uint32_t filter = open_nest(&r, CTA_FILTER);
  put(&r, CTA_FILTER_ORIG_FLAGS, &compared, sizeof compared);
  put(&r, CTA_FILTER_REPLY_FLAGS, &none, sizeof none);
  close_nest(&r, filter);

  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
  if (fd < 0) return -errno;
  char answer[512] __attribute__((aligned(8)));
  ssize_t n = send(fd, &r, r.head.nlmsg_len, 0) < 0 ? -1 : recv(fd, answer, sizeof answer, 0);
  int error = n < 0 ? -errno : -EPROTO;
  const struct nlmsghdr *head = (const void *)answer;
  if (n >= 0 && NLMSG_OK(head, (size_t)n) && head->nlmsg_type == NLMSG_ERROR) error = ((const struct nlmsgerr *)NLMSG_DATA(head))->error;
  close(fd);
  return error;
}
