/** Calls Node has no words for, through koffi: the only file that loads it, and only when one of them is made. */
import { closeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { Failure } from '../lib/failure.ts'
import { errnoName } from './errno.ts'

type Koffi = typeof import('koffi')

const built = new URL('../../native/build/', import.meta.url)
const monitorPath = fileURLToPath(new URL('monitor', built))

let loaded: Koffi | undefined
/** koffi itself, loaded on first use (10 ms). */
function koffi(): Koffi {
  loaded ??= createRequire(import.meta.url)('koffi') as Koffi
  return loaded
}

function open(path: string, hint: string): ReturnType<Koffi['load']> {
  try {
    return koffi().load(path)
  } catch (cause) {
    throw new Failure('unavailable', `Cannot load "${path}"`, { hint, cause })
  }
}

/** A table of C functions of one library, loaded on first use. */
function library<T extends Record<string, string>>(path: string, hint: string, prototypes: T) {
  let functions: { [K in keyof T]: (...args: readonly unknown[]) => unknown } | undefined
  return () => {
    if (functions === undefined) {
      const lib = open(path, hint)
      const entries = Object.entries(prototypes).map(([name, prototype]) => [name, lib.func(prototype)] as const)
      functions = Object.fromEntries(entries) as NonNullable<typeof functions>
    }
    return functions
  }
}

const host = library(fileURLToPath(new URL('libhost.so', built)), 'Build it with: make -C native', {
  pidfdOpen: 'int host_pidfd_open(int pid)',
  pidfdSignal: 'int host_pidfd_signal(int fd, int signal)',
  lock: 'int host_lock(const char *path)',
  sealedCopy: 'int host_sealed_copy(const char *path)',
  memoryFile: 'int host_memory_file()',
  socketPair: 'int host_socket_pair(_Out_ int *pair)',
  spawn: 'int host_spawn(int exe, int socket)',
  reap: 'int host_reap(int pid)',
  socketIn: 'int host_socket_in(const char *netns, int tcp, const char *address, int port)',
})

/** An error with Node's `code` and `errno`, so that callers branch on `errnoOf(error)`. */
function systemError(call: string, errno: number): Error {
  const name = errnoName(errno)
  return Object.assign(new Error(`${name}: ${call}`), { code: name, errno: -errno, syscall: call })
}

function checked(call: string, result: unknown): number {
  const value = result as number
  if (value < 0) throw systemError(call, -value)
  return value
}

/** A descriptor for a process, which never comes to mean another one. Throws ESRCH when there is none. */
export function openPidfd(pid: number): number {
  return checked('pidfd_open', host().pidfdOpen(pid))
}

/** Signal 0 only asks whether it is alive (ESRCH when not). */
export function signalPidfd(pidfd: number, signal: number): void {
  checked('pidfd_send_signal', host().pidfdSignal(pidfd, signal))
}

/** An exclusive lock on a file, held until `release` or the end of the process; undefined when another process has it. */
export function lockFile(path: string): { release(): void } | undefined {
  const fd = host().lock(path) as number
  if (fd < 0 && errnoName(-fd) === 'EAGAIN') return undefined
  checked(`flock "${path}"`, fd)
  return { release: () => closeSync(fd) }
}

/**
 * A socket bound (tcp: and listening) inside the network namespace kept at `netnsPath`, for `dgram.Socket.bind({ fd })` or
 * `net.Server.listen({ fd })`. Throws with `code` EADDRINUSE and the like.
 */
export function socketIn(netnsPath: string, type: 'udp' | 'tcp', address: string, port: number): number {
  return checked(`socket in "${netnsPath}"`, host().socketIn(netnsPath, type === 'tcp' ? 1 : 0, address, port))
}

/** The monitor as a sealed file in memory. */
export function openMonitor(): number {
  return checked(`copy of "${monitorPath}"`, host().sealedCopy(monitorPath))
}

/** Starts a monitor: its pid (of the process that only forks) and our end of its socket. */
export function spawnMonitor(executable: number): { readonly pid: number; readonly socket: number } {
  const pair = [-1, -1]
  checked('socketpair', host().socketPair(pair))
  const [ours, theirs] = pair as [number, number]
  const pid = host().spawn(executable, theirs) as number
  closeSync(theirs)
  if (pid < 0) closeSync(ours)
  return { pid: checked('posix_spawn', pid), socket: ours }
}

/** Waits for a process of ours that is about to end. */
export function reap(pid: number): void {
  checked('waitpid', host().reap(pid))
}

export function openMemoryFile(): number {
  return checked('memfd_create', host().memoryFile())
}

const nftables = library('libnftables.so.1', 'Install libnftables1', {
  new: 'void *nft_ctx_new(uint32_t flags)',
  bufferOutput: 'int nft_ctx_buffer_output(void *ctx)',
  bufferError: 'int nft_ctx_buffer_error(void *ctx)',
  run: 'int nft_run_cmd_from_buffer(void *ctx, const char *commands)',
  output: 'const char *nft_ctx_get_output_buffer(void *ctx)',
  error: 'const char *nft_ctx_get_error_buffer(void *ctx)',
})

let nft: unknown

/**
 * Runs nft commands as one transaction (all or nothing) and returns what they print.
 * @throws Failure with nft's own first line.
 */
export function runNft(commands: string): string {
  const api = nftables()
  if (nft === undefined) {
    nft = api.new(0)
    api.bufferOutput(nft)
    api.bufferError(nft)
  }
  const status = api.run(nft, commands)
  // the buffers are emptied by being read
  const output = api.output(nft) as string
  const error = api.error(nft) as string
  if (status !== 0)
    throw new Failure('internal', `Cannot change the firewall: ${error.split('\n')[0]?.trim() ?? ''}`, { cause: error })
  return output
}

const seccomp = library('libseccomp.so.2', 'Install libseccomp2', {
  init: 'void *seccomp_init(uint32_t action)',
  release: 'void seccomp_release(void *ctx)',
  attribute: 'int seccomp_attr_set(void *ctx, int attribute, uint32_t value)',
  addArch: 'int seccomp_arch_add(void *ctx, uint32_t arch)',
  resolve: 'int seccomp_syscall_resolve_name_arch(uint32_t arch, const char *name)',
  addRule:
    'int seccomp_rule_add_array(void *ctx, uint32_t action, int syscall, unsigned int count, const void *compares)',
  export: 'int seccomp_export_bpf(void *ctx, int fd)',
})

/** libseccomp, for `seccomp/filter.ts`. */
export function libseccomp(): ReturnType<typeof seccomp> {
  return seccomp()
}
