/* Links, addresses and routes, one request and one answer each. */
#include "setup.h"
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

struct request {
  struct nlmsghdr head;
  char body[1024];
};

static void put(struct request *r, const void *data, size_t length) {
  memcpy((char *)r + r->head.nlmsg_len, data, length);
  r->head.nlmsg_len += (uint32_t)NLMSG_ALIGN(length);
}

/* Names are at most 15 bytes and addresses 16, which `put_name` and `network_step` see to: a request never outgrows its body. */
static void attribute(struct request *r, uint16_t type, const void *data, size_t length) {
  struct rtattr head = {(uint16_t)(sizeof head + length), type};
  put(r, &head, sizeof head);
  if (length) put(r, data, length);
}

static void number(struct request *r, uint16_t type, uint32_t value) { attribute(r, type, &value, sizeof value); }

static uint32_t open_nest(struct request *r, uint16_t type) {
  uint32_t at = r->head.nlmsg_len;
  attribute(r, type, NULL, 0);
  return at;
}

static void close_nest(struct request *r, uint32_t at) {
  ((struct rtattr *)(void *)((char *)r + at))->rta_len = (uint16_t)(r->head.nlmsg_len - at);
}

static struct request start(uint16_t type, uint16_t flags, const void *head, size_t length) {
  struct request r = {.head = {sizeof(struct nlmsghdr), type, (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags), 1, 0}};
  put(&r, head, length);
  return r;
}

static int index_of(int fd, const char *name, int *index) {
  struct ifreq request = {0};
  if (strlen(name) >= IFNAMSIZ) return -EINVAL;
  memcpy(request.ifr_name, name, strlen(name));
  if (ioctl(fd, SIOCGIFINDEX, &request)) return -errno;
  *index = request.ifr_ifindex;
  return 0;
}

static int create_bridge(struct setup *m, const struct step *s) {
  const char *name = text(m, s->a[0]);
  struct ifinfomsg info = {.ifi_family = AF_UNSPEC};
  if (strlen(name) >= IFNAMSIZ || (s->a[2] != 6 && s->a[2])) return -EINVAL;
  struct request r = start(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &info, sizeof info);
  attribute(&r, IFLA_IFNAME, name, strlen(name) + 1);
  if (s->a[2]) attribute(&r, IFLA_ADDRESS, text(m, s->a[1]), 6);
  if (s->a[3]) number(&r, IFLA_MTU, (uint32_t)s->a[3]);
  uint32_t link = open_nest(&r, IFLA_LINKINFO);
  attribute(&r, IFLA_INFO_KIND, "bridge", 6);
  close_nest(&r, link);
  return netlink_ask(m->netlink[0], &r.head);
}

/* Both ends in one request: ours on the bridge and up, the other in the namespace we are in, named and with its address. */
static int create_veth(struct setup *m, const struct step *s) {
  const char *host = text(m, s->a[0]), *pair = text(m, s->a[2]); /* 6 bytes of address, 16 of name */
  int bridge = 0, error = index_of(m->netlink[0], text(m, s->a[1]), &bridge);
  if (error) return error;
  if (strlen(host) >= IFNAMSIZ || s->a[3] != 22 || pair[21]) return -EINVAL;
  struct ifinfomsg info = {.ifi_family = AF_UNSPEC, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
  struct ifinfomsg peer = {.ifi_family = AF_UNSPEC};
  struct request r = start(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &info, sizeof info);
  attribute(&r, IFLA_IFNAME, host, strlen(host) + 1);
  number(&r, IFLA_MASTER, (uint32_t)bridge);
  if (s->a[4]) number(&r, IFLA_MTU, (uint32_t)s->a[4]);
  uint32_t link = open_nest(&r, IFLA_LINKINFO);
  attribute(&r, IFLA_INFO_KIND, "veth", 4);
  uint32_t data = open_nest(&r, IFLA_INFO_DATA), other = open_nest(&r, VETH_INFO_PEER);
  put(&r, &peer, sizeof peer);
  attribute(&r, IFLA_IFNAME, pair + 6, strlen(pair + 6) + 1);
  attribute(&r, IFLA_ADDRESS, pair, 6);
  if (s->a[4]) number(&r, IFLA_MTU, (uint32_t)s->a[4]);
  number(&r, IFLA_NET_NS_FD, (uint32_t)m->netns);
  close_nest(&r, other);
  close_nest(&r, data);
  close_nest(&r, link);
  return netlink_ask(m->netlink[0], &r.head);
}

static int enslave(struct setup *m, const char *name, const char *bridge) {
  struct ifinfomsg info = {.ifi_family = AF_UNSPEC};
  int master = 0, error = index_of(m->netlink[0], bridge, &master);
  if (error) return error;
  /* its container has gone meanwhile */
  if ((error = index_of(m->netlink[0], name, &info.ifi_index))) return error == -ENODEV ? 0 : error;
  struct request r = start(RTM_NEWLINK, 0, &info, sizeof info);
  number(&r, IFLA_MASTER, (uint32_t)master);
  return netlink_ask(m->netlink[0], &r.head);
}

/* How the bridge treats what comes by this port. */
static int port(struct setup *m, const struct step *s) {
  const char *name = text(m, s->a[0]);
  uint8_t isolated = s->a[1] != 0, hairpin = s->a[2] != 0;
  struct ifinfomsg info = {.ifi_family = AF_BRIDGE};
  int error = index_of(m->netlink[0], name, &info.ifi_index);
  if (error) return error;
  struct request r = start(RTM_SETLINK, 0, &info, sizeof info);
  uint32_t nest = open_nest(&r, IFLA_PROTINFO | NLA_F_NESTED);
  attribute(&r, IFLA_BRPORT_ISOLATED, &isolated, 1);
  attribute(&r, IFLA_BRPORT_MODE, &hairpin, 1);
  close_nest(&r, nest);
  return netlink_ask(m->netlink[0], &r.head);
}

static int raise_link(int fd, const char *name) {
  struct ifinfomsg info = {.ifi_family = AF_UNSPEC, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
  int error = index_of(fd, name, &info.ifi_index);
  if (error) return error;
  struct request r = start(RTM_NEWLINK, 0, &info, sizeof info);
  return netlink_ask(fd, &r.head);
}

/* The kernel takes it away with the namespace of its other end, between our two questions too. */
static int delete_link(int fd, const char *name) {
  struct ifinfomsg info = {.ifi_family = AF_UNSPEC};
  int error = index_of(fd, name, &info.ifi_index);
  if (!error) {
    struct request r = start(RTM_DELLINK, 0, &info, sizeof info);
    error = netlink_ask(fd, &r.head);
  }
  return error == -ENODEV ? 0 : error;
}

static int add_address(struct setup *m, const struct step *s) {
  int fd = m->netlink[s->a[0] != 0], index = 0, error = index_of(fd, text(m, s->a[1]), &index);
  if (error) return error;
  if (s->a[3] != 4 && s->a[3] != 16) return -EINVAL;
  struct ifaddrmsg info = {.ifa_family = s->a[3] == 4 ? AF_INET : AF_INET6, .ifa_prefixlen = (uint8_t)s->a[4], .ifa_index = (uint32_t)index};
  /* Addresses are ours alone, so a second of waiting for duplicates would be lost. */
  if (s->a[3] == 16) info.ifa_flags = IFA_F_NODAD;
  struct request r = start(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &info, sizeof info);
  attribute(&r, IFA_LOCAL, text(m, s->a[2]), (size_t)s->a[3]);
  attribute(&r, IFA_ADDRESS, text(m, s->a[2]), (size_t)s->a[3]);
  if (s->a[3] == 4 && s->a[4] < 31) {
    uint8_t broadcast[4];
    memcpy(broadcast, text(m, s->a[2]), 4);
    for (int bit = (int)s->a[4]; bit < 32; bit++) broadcast[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
    attribute(&r, IFA_BROADCAST, broadcast, 4);
  }
  return netlink_ask(fd, &r.head);
}

static int add_route(struct setup *m, const struct step *s) {
  int index = 0, error = index_of(m->netlink[1], text(m, s->a[0]), &index);
  if (error) return error;
  if (s->a[2] != 4 && s->a[2] != 16) return -EINVAL;
  struct rtmsg info = {.rtm_family = s->a[2] == 4 ? AF_INET : AF_INET6, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_BOOT, .rtm_type = RTN_UNICAST};
  struct request r = start(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &info, sizeof info);
  attribute(&r, RTA_GATEWAY, text(m, s->a[1]), (size_t)s->a[2]);
  number(&r, RTA_OIF, (uint32_t)index);
  return netlink_ask(m->netlink[1], &r.head);
}

int network_step(struct setup *m, const struct step *s) {
  int error = s->code >= STEP_BRIDGE ? netlink_here(&m->netlink[0]) : 0;
  if (error) return error;
  switch (s->code) {
    case STEP_NETNS_HOME: return prepare_home(text(m, s->a[0]));
    case STEP_NETNS_NEW: return enter_netns(m, NULL);
    case STEP_NETNS_OWNED: return enter_owned_netns(m);
    case STEP_NETNS_KEEP: return keep_netns(text(m, s->a[0]));
    case STEP_NETNS_ENTER: return enter_netns(m, text(m, s->a[0]));
    case STEP_NETNS_LEAVE: return leave_netns(m);
    case STEP_NETNS_DROP: return drop_netns(text(m, s->a[0]));
    case STEP_BRIDGE: return create_bridge(m, s);
    case STEP_VETH: return create_veth(m, s);
    case STEP_MASTER: return enslave(m, text(m, s->a[0]), text(m, s->a[1]));
    case STEP_PORT: return port(m, s);
    case STEP_LINK_UP: return raise_link(m->netlink[s->a[0] != 0], text(m, s->a[1]));
    case STEP_LINK_DELETE: return delete_link(m->netlink[s->a[0] != 0], text(m, s->a[1]));
    case STEP_ADDRESS: return add_address(m, s);
    case STEP_ROUTE: return add_route(m, s);
    default: return -ENOSYS;
  }
}
