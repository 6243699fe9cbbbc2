/** The system calls a container may make by default: an allow list, opened further by the capabilities it has. */
import type { Profile, Rule } from './profile.ts'

/** For everyone. Names the kernel of this machine does not know are passed over. */
const always = `
  _llseek _newselect accept accept4 access adjtimex alarm arch_prctl arm_fadvise64_64 arm_sync_file_range bind
  breakpoint brk cacheflush cachestat capget capset chdir chmod chown chown32 clock_adjtime clock_adjtime64
  clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep clock_nanosleep_time64 close
  close_range connect copy_file_range creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_ctl_old
  epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 execve execveat exit exit_group faccessat
  faccessat2 fadvise64 fadvise64_64 fallocate fanotify_mark fchdir fchmod fchmodat fchmodat2 fchown fchown32
  fchownat fcntl fcntl64 fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat fstat64 fstatat64
  fstatfs fstatfs64 fsync ftruncate ftruncate64 futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake
  futimesat get_robust_list get_thread_area getcpu getcwd getdents getdents64 getegid getegid32 geteuid geteuid32
  getgid getgid32 getgroups getgroups32 getitimer getpeername getpgid getpgrp getpid getppid getpriority getrandom
  getresgid getresgid32 getresuid getresuid32 getrlimit getrusage getsid getsockname getsockopt gettid
  gettimeofday getuid getuid32 getxattr getxattrat inotify_add_watch inotify_init inotify_init1 inotify_rm_watch
  io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit ioctl ioprio_get
  ioprio_set ipc kill landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown lchown32 lgetxattr
  link linkat listen listmount listxattr listxattrat llistxattr lremovexattr lseek lsetxattr lstat lstat64 madvise
  map_shadow_stack membarrier memfd_create memfd_secret mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall
  mmap mmap2 modify_ldt mprotect mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64
  mq_timedsend mq_timedsend_time64 mq_unlink mremap mseal msgctl msgget msgrcv msgsnd msync munlock munlockall
  munmap name_to_handle_at nanosleep newfstatat open openat openat2 pause pidfd_open pidfd_send_signal pipe pipe2
  pkey_alloc pkey_free pkey_mprotect poll ppoll ppoll_time64 prctl pread64 preadv preadv2 prlimit64
  process_mrelease process_vm_readv process_vm_writev pselect6 pselect6_time64 ptrace pwrite64 pwritev pwritev2
  read readahead readlink readlinkat readv recv recvfrom recvmmsg recvmmsg_time64 recvmsg remap_file_pages
  removexattr removexattrat rename renameat renameat2 restart_syscall riscv_flush_icache riscv_hwprobe rmdir rseq
  rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait
  rt_sigtimedwait_time64 rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min sched_getaffinity
  sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64
  sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield seccomp select semctl semget semop
  semtimedop semtimedop_time64 send sendfile sendfile64 sendmmsg sendmsg sendto set_robust_list set_thread_area
  set_tid_address set_tls setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setitimer
  setpgid setpriority setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32
  setrlimit setsid setsockopt setuid setuid32 setxattr setxattrat shmat shmctl shmdt shmget shutdown sigaltstack
  signalfd signalfd4 sigprocmask sigreturn socketcall socketpair splice stat stat64 statfs statfs64 statmount
  statx symlink symlinkat sync sync_file_range sync_file_range2 syncfs sysinfo tee tgkill time timer_create
  timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create
  timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64 times tkill truncate truncate64 ugetrlimit
  umask uname unlink unlinkat uretprobe utime utimensat utimensat_time64 utimes vfork vmsplice wait4 waitid
  waitpid write writev
`

/** With a capability: what it is good for is of no use without these. */
const byCapability: Readonly<Record<string, string>> = {
  DAC_READ_SEARCH: 'open_by_handle_at',
  SYS_ADMIN:
    'bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr ' +
    'lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount open_tree perf_event_open quotactl ' +
    'quotactl_fd setdomainname sethostname setns syslog umount umount2 unshare',
  SYS_BOOT: 'reboot',
  SYS_CHROOT: 'chroot',
  SYS_MODULE: 'delete_module init_module finit_module',
  SYS_PACCT: 'acct',
  SYS_PTRACE: 'kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace',
  SYS_RAWIO: 'iopl ioperm',
  SYS_TIME: 'settimeofday stime clock_settime clock_settime64',
  SYS_TTY_CONFIG: 'vhangup',
  SYS_NICE: 'get_mempolicy mbind set_mempolicy set_mempolicy_home_node',
  SYSLOG: 'syslog',
  BPF: 'bpf',
  PERFMON: 'perf_event_open',
}

/** CLONE_NEW* of clone(2), but time's: without CAP_SYS_ADMIN no new namespaces, user namespaces above all. */
const namespaceFlags = 0x7e020000n
/** The kernel looks at 32 bits of a socket's family, so the filter does as well: 0x100000028 is AF_VSOCK too. */
const low32 = 0xffffffffn
const lastFamily = 45
/** AF_ALG reaches the page cache (CVE-2026-31431), AF_VSOCK the services of the host. */
const refusedFamilies = [38, 40]
const personalities = [0n, 8n, 0x20000n, 0x20008n, 0xffffffffn]

const words = (text: string): readonly string[] => text.trim().split(/\s+/)

function conditional(capabilities: readonly string[]): readonly Rule[] {
  const families = Array.from({ length: lastFamily + 1 }, (_, family) => family).filter(
    family => !refusedFamilies.includes(family),
  )
  const rules: Rule[] = [
    ...families.map(family => allowIf('socket', { index: 0, op: 'masked-equal', value: low32, other: BigInt(family) })),
    ...personalities.map(value => allowIf('personality', { index: 0, op: 'equal', value, other: 0n })),
  ]
  if (capabilities.includes('SYS_ADMIN')) return rules
  return [
    ...rules,
    allowIf('clone', { index: 0, op: 'masked-equal', value: namespaceFlags, other: 0n }),
    // its flags lie in memory, where no filter sees them: libc falls back to clone
    { names: ['clone3'], action: { kind: 'errno', errno: 38 }, compares: [] },
  ]
}

function allowIf(name: string, compare: Rule['compares'][number]): Rule {
  return { names: [name], action: { kind: 'allow' }, compares: [compare] }
}

/** The default for a container with these capabilities. Anything else is refused with EPERM. */
export function defaultProfile(capabilities: readonly string[]): Profile {
  const opened = capabilities.flatMap(capability => words(byCapability[capability] ?? ''))
  const names = [...new Set([...words(always), ...opened])].filter(name => name !== '')
  return {
    fallback: { kind: 'errno', errno: 1 },
    rules: [{ names, action: { kind: 'allow' }, compares: [] }, ...conditional(capabilities)],
    foreign: true,
    unknown: { kind: 'errno', errno: 38 },
    refuseSocketcall: true,
  }
}
