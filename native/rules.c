/* Whether the firewall's rules are still those that were looked at: the kernel numbers their generations. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* NFTA_GEN_ID of the answer, or -EPROTO. */
static int generation_in(const struct nlmsghdr *head, size_t length) {
  if (!NLMSG_OK(head, length)) return -EPROTO;
  if (head->nlmsg_type == NLMSG_ERROR) return ((const struct nlmsgerr *)NLMSG_DATA(head))->error;
  const char *at = (const char *)NLMSG_DATA(head) + NLMSG_ALIGN(sizeof(struct nfgenmsg)), *end = (const char *)head + head->nlmsg_len;
  for (struct nlattr a; end - at >= (ptrdiff_t)sizeof a; at += NLA_ALIGN(a.nla_len)) {
    memcpy(&a, at, sizeof a);
    if (a.nla_len < sizeof a || a.nla_len > end - at) break;
    if ((a.nla_type & NLA_TYPE_MASK) != NFTA_GEN_ID || a.nla_len != sizeof a + 4) continue;
    uint32_t id;
    memcpy(&id, at + sizeof a, sizeof id);
    return (int)(ntohl(id) & 0x7fffffff);
  }
  return -EPROTO;
}

/* The number of the rules that are in force in this network namespace, or -errno. */
int host_firewall_generation(void) {
  struct {
    struct nlmsghdr head;
    struct nfgenmsg family;
  } request = {
    .head = {sizeof request, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN, NLM_F_REQUEST, 1, 0},
    .family = {AF_UNSPEC, NFNETLINK_V0, 0},
  };
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
  if (fd < 0) return -errno;
  char answer[512] __attribute__((aligned(8)));
  ssize_t n = send(fd, &request, sizeof request, 0) < 0 ? -1 : recv(fd, answer, sizeof answer, 0);
  int result = n < 0 ? -errno : generation_in((const void *)answer, (size_t)n);
  close(fd);
  return result;
}
