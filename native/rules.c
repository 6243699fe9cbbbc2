/* Whether the firewall's rules are still those that were looked at: the kernel numbers their generations, and tells of each. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
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

/* The number of the rules that are in force in this network namespace, or -errno. Asked before each change: by one socket, of one thread. */
int host_firewall_generation(void) {
  static int fd = -1;
  struct {
    struct nlmsghdr head;
    struct nfgenmsg family;
  } request = {
    .head = {sizeof request, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN, NLM_F_REQUEST, 1, 0},
    .family = {AF_UNSPEC, NFNETLINK_V0, 0},
  };
  if (fd < 0 && (fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER)) < 0) return -errno;
  char answer[512] __attribute__((aligned(8)));
  ssize_t n = send(fd, &request, sizeof request, 0) < 0 ? -1 : recv(fd, answer, sizeof answer, 0);
  int result = n < 0 ? -errno : generation_in((const void *)answer, (size_t)n);
  /* an answer that is not its own would be the next one's */
  if (result < 0) close(fd), fd = -1;
  return result;
}

struct watch {
  int kernel, told;
};

/* A byte for what has happened since the last; ends when whoever is told has closed. */
static void *tell(void *argument) {
  struct watch watch = *(struct watch *)argument;
  free(argument);
  struct pollfd fds[] = {{.fd = watch.kernel, .events = POLLIN}, {.fd = watch.told}};
  char news[4096];
  while (poll(fds, 2, -1) >= 0 || errno == EINTR) {
    if (fds[1].revents) break;
    /* ENOBUFS: more has happened than there was room for, which is news as well */
    while (recv(watch.kernel, news, sizeof news, MSG_DONTWAIT) >= 0 || errno == EINTR) continue;
    /* full: there is a byte that has not been read yet */
    if (send(watch.told, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno != EAGAIN) break;
  }
  close(watch.kernel);
  close(watch.told);
  return NULL;
}

/* Of all that is told of rules only new generations: the first message of a packet says which it is (netlink(7)). */
static int follow_generations(int fd) {
  struct sock_filter only[] = {
    BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_type)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWGEN), 0, 1),
    BPF_STMT(BPF_RET | BPF_K, UINT_MAX),
    BPF_STMT(BPF_RET | BPF_K, 0),
  };
  struct sock_fprog filter = {.len = sizeof only / sizeof *only, .filter = only};
  int group = NFNLGRP_NFTABLES;
  struct sockaddr_nl at = {.nl_family = AF_NETLINK};
  return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) ||
         bind(fd, (struct sockaddr *)&at, sizeof at) ||
         setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group);
}

/* A stream socket that gives a byte when rules of this network namespace have changed, whoever changed them; or -errno. */
int host_watch_rules(void) {
  int kernel = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER), ends[2] = {-1, -1}, error;
  struct watch *watch = malloc(sizeof *watch);
  pthread_attr_t attributes;
  pthread_t thread;
  if (kernel < 0 || !watch || follow_generations(kernel) ||
      socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends)) {
    error = errno;
  } else {
    *watch = (struct watch){kernel, ends[1]};
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN + (16 << 10));
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    error = pthread_create(&thread, &attributes, tell, watch);
    pthread_attr_destroy(&attributes);
    if (!error) return ends[0];
  }
  free(watch);
  if (kernel >= 0) close(kernel);
  for (int i = 0; i < 2; i++)
    if (ends[i] >= 0) close(ends[i]);
  return -error;
}
