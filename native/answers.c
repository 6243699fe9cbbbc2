/* The route by which answers to a client in whose name a relay has spoken come back to the relay. */
#include "rootless.h"
#include <linux/fib_rules.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

/* A table of our own, before that of the machine. */
#define TABLE 0x7473

struct request {
  struct nlmsghdr head;
  union {
    struct rtmsg route;
    struct fib_rule_hdr rule;
  } body;
  char attributes[64];
};

static void attribute(struct request *r, uint16_t type, uint32_t value) {
  struct rtattr head = {sizeof head + sizeof value, type};
  memcpy((char *)r + r->head.nlmsg_len, &head, sizeof head);
  memcpy((char *)r + r->head.nlmsg_len + sizeof head, &value, sizeof value);
  r->head.nlmsg_len += sizeof head + sizeof value;
}

static struct request start(uint16_t type, size_t body) {
  return (struct request){.head = {(uint32_t)NLMSG_LENGTH(body), type, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, 1, 0}};
}

static int route_family(int fd, uint8_t family) {
  struct request rule = start(RTM_NEWRULE, sizeof rule.body.rule), route = start(RTM_NEWROUTE, sizeof route.body.route);
  rule.body.rule = (struct fib_rule_hdr){.family = family, .action = FR_ACT_TO_TBL};
  attribute(&rule, FRA_FWMARK, MARK_ANSWER);
  attribute(&rule, FRA_TABLE, TABLE);
  int error = netlink_ask(fd, &rule.head);
  if (error) return error;
  route.body.route = (struct rtmsg){.rtm_family = family, .rtm_protocol = RTPROT_STATIC, .rtm_scope = RT_SCOPE_HOST, .rtm_type = RTN_LOCAL};
  attribute(&route, RTA_TABLE, TABLE);
  attribute(&route, RTA_OIF, if_nametoindex("lo"));
  return netlink_ask(fd, &route.head);
}

int route_answers(void) {
  AUTOCLOSE fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) return -errno;
  int error = route_family(fd, AF_INET);
  if (error) return error;
  error = route_family(fd, AF_INET6);
  /* a kernel without IPv6 */
  return error == -EAFNOSUPPORT || error == -EOPNOTSUPP ? 0 : error;
}
