/*
 * The nursery waits for sockets from the engine and forks a monitor for each (0.1 ms; a new image of this program would cost 1 ms).
 * The monitor takes one program from its socket, runs it, says how that went, and stays as the process's parent.
 */
#include "setup.h"
#include "supervise.h"
#include <linux/sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

struct monitor {
  struct setup setup;
  struct supervisor supervisor;
};

static int read_all(int fd, void *data, size_t length) {
  for (size_t done = 0; done < length;) {
    ssize_t n = RETRY(read(fd, (char *)data + done, length - done));
    if (n <= 0) return n ? -errno : -EPIPE;
    done += (size_t)n;
  }
  return 0;
}

static int read_program(struct monitor *m) {
  unsigned char head[FRAME_HEAD];
  uint32_t length;
  int error = read_all(m->setup.engine, head, sizeof head);
  if (error) return error;
  memcpy(&length, head + 1, 4);
  if (head[0] != TO_PROGRAM || length > MAX_PROGRAM) return -EPROTO;
  char *bytes = malloc(length ? length : 1);
  if (!bytes) return -ENOMEM;
  error = read_all(m->setup.engine, bytes, length);
  return error ? error : decode(bytes, length, &m->setup.program);
}

/* A daemon of its own: the process the engine waits for ends at once, and nothing of the engine's stays open. */
static void detach(void) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  /* By the system call itself: glibc keeps 32 and 33 to itself, and posix_spawn leaves them ignored. */
  static const char defaults[64];
  for (int signal = 1; signal < 65; signal++) syscall(SYS_rt_sigaction, signal, defaults, NULL, 8);
  /* Until execve nothing inside may look into us (CVE-2016-9962). */
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  pid_t pid = fork();
  if (pid) _exit(pid < 0);
  setsid();
  /* Modes are what the steps say; the engine's own mask would close every mount point to the container's users. */
  umask(0);
  if (chdir("/")) _exit(1);
  syscall(SYS_close_range, 4, ~0u, 0);
  fcntl(3, F_SETFD, FD_CLOEXEC);
}

/* Shutting the machine down reaches the container's own process; its parent stays to write down how it ended. */
static void outlast_signals(void) {
  static const int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGUSR2};
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) signal(signals[i], SIG_IGN);
  sigset_t wake;
  sigemptyset(&wake);
  sigaddset(&wake, SIGUSR1);
  sigprocmask(SIG_BLOCK, &wake, NULL);
}

static void undo(struct monitor *m) {
  const struct program *p = &m->setup.program;
  if (m->setup.home >= 0) setns(m->setup.home, CLONE_NEWNET);
  for (uint32_t i = 0; i < p->undo; i++) {
    const struct step *s = &p->steps[p->host + p->child + i];
    if (s->after < m->setup.done) run_step(&m->setup, s);
  }
  if (m->supervisor.listener >= 0) unlinkat(m->supervisor.settings.directory, "control.sock", 0);
}

static _Noreturn void fail(struct monitor *m, int step, int error) {
  struct __attribute__((packed)) {
    unsigned char type;
    uint32_t length;
    int32_t step, error;
  } report = {FROM_FAILED, 8, step, -error};
  undo(m);
  RETRY(send(m->setup.engine, &report, sizeof report, MSG_NOSIGNAL));
  _exit(1);
}

/* A message, and the descriptor that came with it, or -1. */
static ssize_t receive(int from, void *data, size_t size, int *fd) {
  struct iovec iov = {data, size};
  union {
    char space[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
  } control = {0};
  struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  ssize_t n = RETRY(recvmsg(from, &message, MSG_CMSG_CLOEXEC));
  struct cmsghdr *header = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;
  *fd = -1;
  if (header && header->cmsg_type == SCM_RIGHTS) memcpy(fd, CMSG_DATA(header), sizeof *fd);
  return n;
}

/* The next socket from the engine, or -1 when it is gone. */
static int next_request(int from) {
  char byte;
  int fd;
  return receive(from, &byte, 1, &fd) > 0 ? fd : -1;
}

/* The engine's name in short, and what it is: the kernel keeps 15 characters. */
static void name_process(const char *title, const char *role) {
  char name[16];
  snprintf(name, sizeof name, "%.7s-%s", title, role);
  prctl(PR_SET_NAME, name, 0, 0, 0);
}

/* Returns in each new monitor, never in the nursery, which ends with the engine; its children live on. */
static int nurse(const char *title) {
  signal(SIGCHLD, SIG_IGN);
  name_process(title, "nursery");
  for (int fd; (fd = next_request(3)) >= 0; close(fd)) {
    if (fork()) continue;
    signal(SIGCHLD, SIG_DFL);
    name_process(title, "monitor");
    setsid();
    close(3);
    return fd;
  }
  _exit(0);
}

static _Noreturn void run_child(struct setup *m) {
  const struct program *p = &m->program;
  for (uint32_t i = 0; i < p->child; i++) {
    int error = run_step(m, &p->steps[p->host + i]);
    if (!error) continue;
    struct child_report report = {(int32_t)(p->host + i), -error};
    RETRY(send(m->report, &report, sizeof report, MSG_NOSIGNAL));
    _exit(127);
  }
  _exit(127);
}

static void take_terminal(struct monitor *m, int master) {
  fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK);
  m->supervisor.input = m->supervisor.streams[0].fd = master;
  /* While we hold the other end, a terminal nobody has open at the moment is not at its end. */
  m->supervisor.terminal_peer = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
}

static void take_sibling(struct monitor *m, int pidfd) {
  RETRY(waitpid(m->supervisor.pid, NULL, 0));
  close(m->supervisor.pidfd);
  m->supervisor.pid = pid_of(pidfd);
  m->supervisor.pidfd = pidfd;
}

/* Success is silence: exec closes the child's end. */
static struct child_report await_child(struct monitor *m) {
  for (;;) {
    struct child_report report = {REPORT_NONE, 0};
    int fd;
    if (receive(m->setup.report, &report, sizeof report, &fd) <= 0 || report.step >= 0) return report;
    if (fd < 0) return (struct child_report){0, EPROTO};
    if (report.step == REPORT_TERMINAL) take_terminal(m, fd);
    else take_sibling(m, fd);
    if (m->supervisor.pid <= 0) return (struct child_report){0, ESRCH};
  }
}

static int start_child(struct monitor *m) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) return -errno;
  struct clone_args args = {.flags = m->setup.clone_flags | CLONE_PIDFD, .pidfd = (uintptr_t)&m->supervisor.pidfd, .cgroup = (uint64_t)m->setup.birth, .exit_signal = SIGCHLD};
  const struct supervisor *v = &m->supervisor;
  const int outside[OUTSIDE] = {m->setup.engine, v->settings.directory, v->listener, v->input, v->streams[0].fd, v->streams[1].fd, m->setup.birth, -1};
  memcpy(m->setup.outside, outside, sizeof outside);
  long pid = syscall(SYS_clone3, &args, sizeof args);
  if (pid < 0) return -errno;
  m->setup.report = pair[pid ? 0 : 1];
  if (pid == 0) run_child(&m->setup);
  close(pair[1]);
  hold_mounts(&m->setup, m->supervisor.pid = (pid_t)pid);
  for (int i = 0; i < 3; i++) {
    close(m->setup.child_stdio[i]);
    if (i < 2 && m->setup.child_stdio[i] == m->setup.child_stdio[i + 1]) m->setup.child_stdio[i + 1] = -1;
  }
  return 0;
}

static void run_program(struct monitor *m) {
  const struct program *p = &m->setup.program;
  for (uint32_t i = 0; i < p->host; i++) {
    int error = run_step(&m->setup, &p->steps[i]);
    if (error) fail(m, (int)i, error);
    m->setup.done++;
  }
  if (!p->child) return;
  int clone = (int)p->host - 1, error = prepare_stdio(&m->supervisor, m->setup.child_stdio);
  if (!error) error = listen_for_clients(&m->supervisor);
  if (!error) error = start_child(m);
  if (error) fail(m, clone, error);
  struct child_report report = await_child(m);
  if (report.step < 0) return;
  end_process(m->supervisor.pidfd);
  fail(m, report.step, -report.error);
}

/* What only the start needed. A monitor that waits for a slow client must not keep the network of a container that has ended. */
static void let_go(struct setup *m) {
  if (m->home >= 0) setns(m->home, CLONE_NEWNET);
  int *used[] = {&m->report, &m->target, &m->birth, &m->user, &m->owned_net, &m->fs, &m->home, &m->netns, &m->netlink[0], &m->netlink[1]};
  for (size_t i = 0; i < sizeof used / sizeof *used; i++) close_it(used[i]), *used[i] = -1;
  for (int i = 0; i < SLOTS; i++) close_it(&m->slots[i]);
}

int main(int argc, char **argv) {
  static struct monitor m = {
      .setup = {.slots = {[0 ... SLOTS - 1] = -1}, .fs = -1, .netlink = {-1, -1}, .home = -1, .netns = -1, .user = -1, .owned_net = -1, .mounts = -1, .target = -1, .birth = -1, .report = -1},
      .supervisor = {.settings = {.directory = -1, .log = -1}, .pidfd = -1, .input = -1, .terminal_peer = -1, .listener = -1, .wake = -1,
                     .streams = {{.name = "stdout", .fd = -1, .frame = FROM_STDOUT}, {.name = "stderr", .fd = -1, .frame = FROM_STDERR}}},
  };
  m.setup.settings = &m.supervisor.settings;
  detach();
  if (argc > 2 && enter_group(argv[2])) return 1;
  m.setup.engine = nurse(argc > 1 ? argv[1] : "tsc");
  int error = read_program(&m);
  if (error) fail(&m, -1, error);
  run_program(&m);
  clock_gettime(CLOCK_REALTIME, &m.supervisor.started);
  if (m.setup.program.child) outlast_signals();
  let_go(&m.setup);
  add_client(&m.supervisor, m.setup.engine, m.supervisor.settings.attach);
  send_started(&m.supervisor, &m.supervisor.clients[0]);
  if (!flush_client(&m.supervisor.clients[0])) {
    /* The engine has ended meanwhile, and with it all knowledge of this start. */
    if (m.supervisor.pid) end_process(m.supervisor.pidfd);
    fail(&m, -1, -EPIPE);
  }
  close_it(&m.setup.mounts);
  return m.setup.program.child ? supervise(&m.supervisor) != 0 : 0;
}
