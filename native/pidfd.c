/* A process by its descriptor (pidfd_open(2)). */
#include "setup.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* As our own procfs counts: whoever was born in another pid namespace knows its sibling by another number (proc_pid_fdinfo(5)). */
pid_t pid_of(int pidfd) {
  char path[64], info[512];
  snprintf(path, sizeof path, "/proc/self/fdinfo/%d", pidfd);
  AUTOCLOSE fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t n = fd < 0 ? -1 : RETRY(read(fd, info, sizeof info - 1));
  if (n < 0) return -1;
  info[n] = 0;
  const char *line = strstr(info, "\nPid:");
  return line ? (pid_t)atoi(line + 5) : -1;
}

/* It means no other process, whatever has become of it. */
void end_process(int pidfd) {
  syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
  RETRY(waitid(P_PIDFD, (id_t)pidfd, NULL, WEXITED));
}
