/*
 * What is in a table of the firewall, as a number: the same as before when nobody has changed it, whatever others have done to theirs.
 * To list and read the table for that costs twenty times as much.
 */
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct request {
  struct nlmsghdr head;
  struct nfgenmsg family;
  char body[512];
};

/* Each kind of message names its table by its first attribute, and elements their set by the second. */
enum { TABLE = NFTA_TABLE_NAME, SET = NFTA_SET_ELEM_LIST_SET };
_Static_assert((int)NFTA_CHAIN_TABLE == TABLE && (int)NFTA_RULE_TABLE == TABLE && (int)NFTA_SET_ELEM_LIST_TABLE == TABLE, "nf_tables.h");

static int put(struct request *r, uint16_t type, const char *text) {
  size_t length = strlen(text) + 1;
  struct nlattr head = {(uint16_t)(sizeof head + length), type};
  if (r->head.nlmsg_len + NLA_ALIGN(sizeof head + length) > sizeof *r) return -ENAMETOOLONG;
  memcpy((char *)r + r->head.nlmsg_len, &head, sizeof head);
  memcpy((char *)r + r->head.nlmsg_len + sizeof head, text, length);
  r->head.nlmsg_len += (uint32_t)NLA_ALIGN(sizeof head + length);
  return 0;
}

static int is_of(const char *attributes, size_t length, const char *table) {
  struct nlattr a;
  if (length < sizeof a) return 0;
  memcpy(&a, attributes, sizeof a);
  size_t size = strlen(table) + 1;
  return (a.nla_type & NLA_TYPE_MASK) == TABLE && a.nla_len == sizeof a + size && a.nla_len <= length && !memcmp(attributes + sizeof a, table, size);
}

/* FNV-1a */
static void add(uint64_t *digest, const char *bytes, size_t length) {
  for (size_t i = 0; i < length; i++) *digest = (*digest ^ (unsigned char)bytes[i]) * 0x100000001b3u;
}

/* 1 when the answer has ended; -EAGAIN when this table or another one changed meanwhile. */
static int take(const char *bytes, size_t left, const char *table, uint64_t *digest) {
  const struct nlmsghdr *m = (const void *)bytes;
  for (; NLMSG_OK(m, left); m = NLMSG_NEXT(m, left)) {
    if (m->nlmsg_flags & NLM_F_DUMP_INTR) return -EAGAIN;
    if (m->nlmsg_type == NLMSG_DONE) return 1;
    if (m->nlmsg_type == NLMSG_ERROR) return ((const struct nlmsgerr *)NLMSG_DATA(m))->error ?: 1;
    size_t head = NLMSG_LENGTH(sizeof(struct nfgenmsg));
    if (m->nlmsg_len < head || !is_of((const char *)m + head, m->nlmsg_len - head, table)) continue;
    uint16_t type = m->nlmsg_type;
    add(digest, (const char *)&type, sizeof type);
    add(digest, (const char *)m + head, m->nlmsg_len - head);
  }
  return 0;
}

static int dump(int fd, uint8_t kind, const char *table, const char *set, uint64_t *digest) {
  static _Thread_local char answer[64 << 10] __attribute__((aligned(8)));
  struct request r = {
    .head = {NLMSG_LENGTH(sizeof r.family), (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | kind), NLM_F_REQUEST | NLM_F_DUMP, 1, 0},
    .family = {NFPROTO_INET, NFNETLINK_V0, 0},
  };
  int result = put(&r, TABLE, table);
  if (!result && set) result = put(&r, SET, set);
  if (result) return result;
  if (send(fd, &r, r.head.nlmsg_len, 0) < 0) return -errno;
  while (!result) {
    ssize_t n = recv(fd, answer, sizeof answer, 0);
    result = n < 0 ? -errno : n == 0 ? -EPROTO : take(answer, (size_t)n, table, digest);
  }
  return result < 0 ? result : 0;
}

static int digest_once(const char *table, const char *sets, uint64_t *digest) {
  static const uint8_t kinds[] = {NFT_MSG_GETTABLE, NFT_MSG_GETCHAIN, NFT_MSG_GETRULE};
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
  if (fd < 0) return -errno;
  *digest = 0xcbf29ce484222325u;
  int result = 0;
  for (size_t i = 0; !result && i < sizeof kinds; i++) result = dump(fd, kinds[i], table, NULL, digest);
  for (; !result && *sets; sets += strlen(sets) + 1) result = dump(fd, NFT_MSG_GETSETELEM, table, sets, digest);
  close(fd);
  return result;
}

/*
 * Of a table of family inet with these sets, names each ended by NUL and the last by another one. 0 or -errno: -ENOENT where a set is gone,
 * -EAGAIN where tables change all the time: the kernel breaks off a list for a change of any.
 */
int host_firewall_digest(const char *table, const char *sets, uint64_t *digest) {
  int result = -EAGAIN;
  for (int tries = 0; result == -EAGAIN && tries < 100; tries++) result = digest_once(table, sets, digest);
  return result;
}
