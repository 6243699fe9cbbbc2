/* One step: one case, one thing done, 0 or -errno. Which steps, in which order, is the program's business. */
#include "setup.h"
#include <linux/bpf.h>
#include <linux/sched.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* Trusted kernel files of the host: never created, never through a link. */
static int write_file(const char *path, const char *value) {
  AUTOCLOSE fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return -errno;
  return NEG(RETRY(write(fd, value, strlen(value))));
}

/* "0" is the writer itself, which spares the kernel its lock over all processes. */
int enter_group(const char *path) { return write_file(path, "0"); }

/* A cgroup is busy until the kernel has let its last task go. */
static int remove_folder(const char *path, int64_t patience) {
  for (int64_t waited = 0;; waited += 2) {
    if (rmdir(path) == 0 || errno == ENOENT) return 0;
    if (errno != EBUSY || waited >= patience) return -errno;
    poll(NULL, 0, 2);
  }
}

static int stdio_settings(struct settings *to, const struct step *s) {
  to->stdio = (int)s->a[0];
  to->attach = (int)s->a[1];
  to->rows = (int)s->a[2];
  to->columns = (int)s->a[3];
  to->uid = (int)s->a[4];
  return 0;
}

static int supervise_settings(struct setup *m, const struct step *s) {
  m->settings->directory = open(text(m, s->a[0]), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (m->settings->directory < 0) return -errno;
  m->settings->directory_path = text(m, s->a[0]);
  m->settings->oom_file = text(m, s->a[1]);
  m->settings->lasting = s->a[2];
  return 0;
}

static int log_settings(struct setup *m, const struct step *s) {
  m->settings->log_path = text(m, s->a[0]);
  m->settings->log_max = s->a[1];
  m->settings->log_files = s->a[2];
  m->settings->log_attributes = text(m, s->a[3]);
  return open_log(m->settings);
}

/* The pid may have come to mean another process: it is ours if it stands in our cgroup and still lives after we looked. */
static int open_target(struct setup *m, int64_t pid, const char *cgroup) {
  char path[64], list[8192];
  close_it(&m->target);
  m->target = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
  if (m->target < 0) return -errno;
  snprintf(path, sizeof path, "/proc/%d/cgroup", (int)pid);
  AUTOCLOSE fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -ESRCH;
  ssize_t n = RETRY(read(fd, list, sizeof list - 1));
  if (n < 0) return -errno;
  list[n] = 0;
  if (!strstr(list, cgroup)) return -ESRCH;
  return NEG(syscall(SYS_pidfd_send_signal, m->target, 0, NULL, 0));
}

static int choose_birth(struct setup *m, const char *group) {
  close_it(&m->birth);
  m->birth = open(group, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  return NEG(m->birth);
}

/* The kernel asks the filter at every open and mknod of whoever is in the group; others that stand there or above it are asked too. */
static int filter_devices(const char *group, const char *filter, int64_t length) {
  AUTOCLOSE folder = open(group, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (folder < 0) return -errno;
  union bpf_attr load = {.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
                         .insns = (uintptr_t)filter,
                         .insn_cnt = (uint32_t)(length / (int64_t)sizeof(struct bpf_insn)),
                         .license = (uintptr_t)"Apache-2.0"};
  AUTOCLOSE program = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof load);
  if (program < 0) return -errno;
  union bpf_attr attach = {
      .target_fd = (uint32_t)folder, .attach_bpf_fd = (uint32_t)program, .attach_type = BPF_CGROUP_DEVICE, .attach_flags = BPF_F_ALLOW_MULTI};
  return NEG(syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof attach));
}

/* What stands by now is the engine's to use. One that has ended meanwhile, or gives up, has it taken back. */
static int yield(int engine) {
  static const unsigned char yielded[FRAME_HEAD] = {FROM_YIELDED};
  unsigned char word[FRAME_HEAD];
  if (RETRY(send(engine, yielded, sizeof yielded, MSG_NOSIGNAL)) < 0) return -errno;
  ssize_t n = RETRY(recv(engine, word, sizeof word, MSG_WAITALL));
  return n < 0 ? -errno : n == sizeof word && *word == TO_GO_ON ? 0 : -ECANCELED;
}

static int settings_step(struct setup *m, const struct step *s) {
  switch (s->code) {
    case STEP_SUPERVISE: return supervise_settings(m, s);
    case STEP_LOG: return log_settings(m, s);
    case STEP_STDIO: return stdio_settings(m->settings, s);
    case STEP_CLONE: m->clone_flags = (uint64_t)s->a[0] | (m->birth < 0 ? 0 : CLONE_INTO_CGROUP); return 0;
    case STEP_BORN_IN: return choose_birth(m, text(m, s->a[0]));
    case STEP_YIELD: return yield(m->engine);
    default: return -ENOSYS;
  }
}

static int file_step(struct setup *m, const struct step *s) {
  switch (s->code) {
    case STEP_MKDIR: return mkdir(text(m, s->a[0]), (mode_t)s->a[1]) && errno != EEXIST ? -errno : 0;
    case STEP_RMDIR: return remove_folder(text(m, s->a[0]), s->a[1]);
    case STEP_WRITE: return write_file(text(m, s->a[0]), text(m, s->a[1]));
    case STEP_FILTER_DEVICES: return filter_devices(text(m, s->a[0]), text(m, s->a[1]), s->a[2]);
    case STEP_JOIN_CGROUP: return enter_group(text(m, s->a[0]));
    default: return -ENOSYS;
  }
}

static int namespace_step(struct setup *m, const struct step *s) {
  switch (s->code) {
    case STEP_TARGET: return open_target(m, s->a[0], text(m, s->a[1]));
    case STEP_JOIN: return NEG(setns(m->target, (int)s->a[0]));
    case STEP_UNSHARE: return NEG(unshare((int)s->a[0]));
    case STEP_HOSTNAME: return NEG(sethostname(text(m, s->a[0]), strlen(text(m, s->a[0]))));
    case STEP_DOMAINNAME: return NEG(setdomainname(text(m, s->a[0]), strlen(text(m, s->a[0]))));
    default: return -ENOSYS;
  }
}

/* Which group a step belongs to stands in the table. */
int run_step(struct setup *m, const struct step *s) {
  switch (shapes[s->code].group) {
    case GROUP_SETTINGS: return settings_step(m, s);
    case GROUP_FILE: return file_step(m, s);
    case GROUP_NETWORK: return network_step(m, s);
    case GROUP_MOUNT: return mount_step(m, s);
    case GROUP_NAMESPACE: return namespace_step(m, s);
    case GROUP_PROCESS: return process_step(m, s);
    case GROUP_USER: return user_step(m, s);
  }
  return -ENOSYS;
}
