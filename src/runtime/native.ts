/** Calls Node has no words for, through koffi: the only file that loads it, and only when one of them is made. */
import { closeSync, fstatSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { Failure } from '../lib/failure.ts'
import { bytesOfName } from '../lib/file-name.ts'
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

interface CFunction {
  (...args: readonly unknown[]): unknown
  /** On another thread; the last argument hears how it went. */
  async(...args: readonly unknown[]): void
}

/** A table of C functions of one library, loaded on first use. */
function library<T extends Record<string, string>>(path: string, hint: string, prototypes: T) {
  let functions: { [K in keyof T]: CFunction } | undefined
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
  lock: 'int host_lock(const char *path, int create)',
  tellsTypes: 'int host_tells_types(const char *folder, const char *name)',
  tryOverlay:
    'int host_try_overlay(const char *lower, const char *upper, const char *work, const char *name, int userMarks)',
  spreadBelow: 'int host_spread_below(const char *path)',
  removeFolder: 'int host_remove_folder(const char *path, int slice)',
  exchange: 'int host_exchange(const char *a, const char *b)',
  sealedCopy: 'int host_sealed_copy(const char *path)',
  memoryFile: 'int host_memory_file()',
  socketPair: 'int host_socket_pair(_Out_ int *pair)',
  spawn: 'int host_spawn(int exe, int socket, const char *title, const char *group)',
  reap: 'int host_reap(int pid)',
  request: 'int host_request(int nursery)',
  unread: 'int host_unread(int fd)',
  trimMemory: 'void host_trim_memory()',
  forgetFlows: 'int host_forget_flows(const uint8_t *address, int size, int protocol, int port)',
  firewallGeneration: 'int host_firewall_generation()',
  firewallDigest: 'int host_firewall_digest(const char *table, const void *sets, _Out_ uint64_t *digest)',
  watchRules: 'int host_watch_rules()',
  socketIn: 'int host_socket_in(const char *netns, int tcp, const char *address, int port)',
  fileOwner: 'int host_file_owner(unsigned int uid, unsigned int gid)',
  datagrams: 'int host_datagrams(const char *path)',
  sendDatagram: 'int host_send_datagram(int fd, const uint8_t *bytes, size_t size)',
})

/** An error with Node's `code` and `errno`, so that callers branch on `errnoOf(error)`. */
export function systemError(call: string, errno: number): Error {
  const name = errnoName(errno)
  return Object.assign(new Error(`${name}: ${call}`), { code: name, errno: -errno, syscall: call })
}

function checked(call: string, result: unknown): number {
  const value = result as number
  if (value < 0) throw systemError(call, -value)
  return value
}

/** What C libraries have freed goes back to the kernel. */
export function trimMemory(): void {
  host().trimMemory()
}

/** A descriptor for a process, which never comes to mean another one. Throws ESRCH when there is none. */
export function openPidfd(pid: number): number {
  return checked('pidfd_open', host().pidfdOpen(pid))
}

/** Signal 0 only asks whether it is alive (ESRCH when not). */
export function signalPidfd(pidfd: number, signal: number): void {
  checked('pidfd_send_signal', host().pidfdSignal(pidfd, signal))
}

/**
 * The kernel forgets what it knew of flows sent to this place of the host, so that the rules there are now lead their next packet;
 * none there is fine. `address` is 4 or 16 bytes, `protocol` an IPPROTO number.
 */
export function forgetFlows(address: Uint8Array, protocol: number, port: number): void {
  const result = host().forgetFlows(address, address.length, protocol, port) as number
  if (result < 0 && errnoName(-result) !== 'ENOENT') throw systemError('ctnetlink', -result)
}

/** Another number after each change of the firewall's rules, whoever made it. */
export function firewallGeneration(): number {
  return checked('nftables generation', host().firewallGeneration())
}

/** Another number when somebody has changed this table of family inet; undefined where it, or one of its sets, is gone or just changes. */
export function firewallDigest(table: string, sets: readonly string[]): bigint | undefined {
  const digest = new BigUint64Array(1)
  const names = Buffer.from(`${sets.map(name => `${name}\0`).join('')}\0`)
  const result = host().firewallDigest(table, names, digest) as number
  if (result < 0 && !['ENOENT', 'EAGAIN'].includes(errnoName(-result))) throw systemError('nftables dump', -result)
  return result < 0 ? undefined : digest[0]!
}

/** A stream socket that gives a byte when the firewall's rules have changed, whoever changed them, until it is closed. */
export function watchRules(): number {
  return checked('nftables events', host().watchRules())
}

interface FileLock {
  /** Of the file that is locked: its name may be another one's by now. */
  readonly inode: number
  release(): void
}

/**
 * An exclusive lock on a file, held until `release` or the end of the process; undefined when another process has it. The file is made
 * when it is not there, unless it is to be `existing` (then ENOENT).
 */
export function lockFile(
  path: string,
  { existing = false }: { readonly existing?: boolean } = {},
): FileLock | undefined {
  const fd = host().lock(path, existing ? 0 : 1) as number
  if (fd < 0 && errnoName(-fd) === 'EAGAIN') return undefined
  checked(`flock "${path}"`, fd)
  return { inode: fstatSync(fd).ino, release: () => closeSync(fd) }
}

/**
 * A socket bound (tcp: and listening) inside the network namespace kept at `netnsPath`, for `dgram.Socket.bind({ fd })` or
 * `net.Server.listen({ fd })`. Throws with `code` EADDRINUSE and the like.
 */
export function socketIn(netnsPath: string, type: 'udp' | 'tcp', address: string, port: number): number {
  return checked(`socket in "${netnsPath}"`, host().socketIn(netnsPath, type === 'tcp' ? 1 : 0, address, port))
}

/** A Unix datagram socket, connected to the one at `path`. Throws ENOENT, ECONNREFUSED and the like. */
export function openDatagrams(path: string): number {
  return checked(`connect to "${path}"`, host().datagrams(path))
}

/** False when the reader has no room now. @throws Failure `invalid` when no datagram of this socket is as large. */
export function sendDatagram(fd: number, bytes: Uint8Array): boolean {
  const result = host().sendDatagram(fd, bytes, bytes.length) as number
  if (result >= 0) return true
  const name = errnoName(-result)
  if (name === 'EAGAIN' || name === 'ENOBUFS') return false
  if (name === 'EMSGSIZE') throw new Failure('invalid', `${bytes.length} bytes are more than a datagram holds`)
  throw systemError('send', -result)
}

/** How much of what was written to a connection its reader has not taken yet; over TCP: has not received. */
export function unread(fd: number): number {
  return checked('ioctl SIOCOUTQ', host().unread(fd))
}

/** The monitor as a sealed file in memory. */
export function openMonitor(): number {
  return checked(`copy of "${monitorPath}"`, host().sealedCopy(monitorPath))
}

/** Tells the file system that folders made in this one are to lie apart; throws where it knows no such thing (any but ext2 to ext4). */
export function spreadBelow(path: string): void {
  checked('ioctl', host().spreadBelow(path))
}

/** Removes a folder with all that is in it, on another thread, for `slice` ms at most; false when there is more of it. Follows no link. */
export function removeSome(path: string, slice: number): Promise<boolean> {
  return new Promise((resolve, reject) =>
    host().removeFolder.async(path, slice, (failed: Error | null, result: number) => {
      if (failed) reject(failed)
      else if (result < 0) reject(systemError(`removal of "${path}"`, -result))
      else resolve(result === 0)
    }),
  )
}

/** Gives two files each other's name; false where the second is none, or the file system cannot do that. */
export function exchange(a: string, b: string): boolean {
  return checked(`exchange of "${a}" and "${b}"`, host().exchange(a, b)) === 1
}

/** Whether listing a folder tells the kind of what is in it (d_type), by the example of `name`. */
export function tellsTypes(folder: string, name: string): boolean {
  return checked(`readdir "${folder}"`, host().tellsTypes(folder, name)) === 1
}

/** Takes away `name` of `lower` in an overlay that is mounted nowhere; throws what the kernel refuses of it. */
export function tryOverlay(
  { lower, upper, work }: { readonly lower: string; readonly upper: string; readonly work: string },
  name: string,
  { userMarks }: { readonly userMarks: boolean },
): void {
  checked('overlay', host().tryOverlay(lower, upper, work, name, Number(userMarks)))
}

/** Starts the nursery, from which monitors are forked; it ends when the descriptor is closed. `title`: how its processes' names begin. */
export function startNursery(
  executable: number,
  { title, group }: { readonly title: string; readonly group: string | undefined },
): number {
  const pair = [-1, -1]
  checked('socketpair', host().socketPair(pair))
  const [ours, theirs] = pair as [number, number]
  try {
    const pid = checked('posix_spawn', host().spawn(executable, theirs, title, group ?? null))
    // it only forks and ends
    checked('waitpid', host().reap(pid))
    return ours
  } catch (error) {
    closeSync(ours)
    throw error
  } finally {
    closeSync(theirs)
  }
}

/** A new monitor: our end of its socket. Throws EPIPE when the nursery is gone. */
export function requestMonitor(nursery: number): number {
  return checked('sendmsg', host().request(nursery))
}

export function openMemoryFile(): number {
  return checked('memfd_create', host().memoryFile())
}

const libc = library('libc.so.6', 'Install the C library', {
  mknod: 'int mknod(const void *path, uint32_t mode, uint64_t device)',
  setXattr: 'int lsetxattr(const void *path, const char *name, const void *value, size_t size, int flags)',
  getXattr: 'long lgetxattr(const void *path, const char *name, void *value, size_t size)',
  listXattr: 'long llistxattr(const void *path, void *list, size_t size)',
  seek: 'long lseek(int fd, long offset, int whence)',
})

/** libc returns -1 and keeps the reason in errno. */
function libcChecked(call: string, result: unknown): number {
  const value = Number(result)
  return checked(call, value < 0 ? -koffi().errno() : value)
}

/** A path as C has it; its bytes may be no UTF-8. */
function cPath(path: string): Buffer {
  return bytesOfName(`${path}\0`)
}

/** As large as the kernel lets an attribute, or the list of their names, be. */
const scratch = Buffer.alloc(65536)

const nodeTypes = {
  'character-device': 0o020000,
  'block-device': 0o060000,
  fifo: 0o010000,
  socket: 0o140000,
} as const

/** Makes a device, fifo or socket, 0600; overlay's whiteout is the character device 0:0. */
export function makeNode(path: string, type: keyof typeof nodeTypes, major = 0, minor = 0): void {
  // glibc's encoding of dev_t (sysmacros.h)
  const [high, low] = [BigInt(major), BigInt(minor)]
  const device = ((high & 0xfffff000n) << 32n) | ((high & 0xfffn) << 8n) | ((low & 0xffffff00n) << 12n) | (low & 0xffn)
  libcChecked(`mknod "${path}"`, libc().mknod(cPath(path), nodeTypes[type] | 0o600, device))
}

/**
 * Runs what makes files, at once and on this thread alone, as if another user did, with all rights of ours: for mounts and file systems
 * of a user namespace, in which our own ids mean nothing.
 */
export function asFileOwner<T>(owner: { readonly uid: number; readonly gid: number }, act: () => T): T {
  checked('setfsuid', host().fileOwner(owner.uid, owner.gid))
  try {
    return act()
  } finally {
    checked('setfsuid', host().fileOwner(0, 0))
  }
}

/** Sets an extended attribute; of a symbolic link itself, never of what it points to. */
export function setXattr(path: string, name: string, value: Uint8Array): void {
  libcChecked(`setxattr "${name}" on "${path}"`, libc().setXattr(cPath(path), name, value, value.length, 0))
}

/** Undefined when there is no such attribute, or the file system has none at all. */
export function getXattr(path: string, name: string): Buffer | undefined {
  const size = Number(libc().getXattr(cPath(path), name, scratch, scratch.length))
  if (size < 0 && ['ENODATA', 'EOPNOTSUPP'].includes(errnoName(koffi().errno()))) return undefined
  return Buffer.from(scratch.subarray(0, libcChecked(`getxattr "${name}" on "${path}"`, size)))
}

/** Names of all extended attributes. */
export function listXattrs(path: string): readonly string[] {
  const size = Number(libc().listXattr(cPath(path), scratch, scratch.length))
  if (size < 0 && errnoName(koffi().errno()) === 'EOPNOTSUPP') return []
  const length = libcChecked(`listxattr "${path}"`, size)
  return scratch.toString('utf8', 0, length).split('\0').slice(0, -1)
}

const [seekData, seekHole] = [3, 4]

/** Where data begin in an open file at or after a place; undefined when only a hole follows, or its end. (lseek(2)) */
export function nextData(fd: number, from: number): number | undefined {
  const at = Number(libc().seek(fd, from, seekData))
  if (at < 0 && errnoName(koffi().errno()) === 'ENXIO') return undefined
  return libcChecked('lseek', at)
}

/** Where the data end that are at a place: at a hole, or at the file's end. */
export function nextHole(fd: number, from: number): number {
  return libcChecked('lseek', libc().seek(fd, from, seekHole))
}

/** NFT_CTX_OUTPUT_HANDLE: a rule is listed with the number by which it can be deleted. */
const outputHandles = 1 << 3

const nftables = library('libnftables.so.1', 'Install libnftables1', {
  new: 'void *nft_ctx_new(uint32_t flags)',
  setOutput: 'void nft_ctx_output_set_flags(void *ctx, unsigned int flags)',
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
    api.setOutput(nft, outputHandles)
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
  removeArch: 'int seccomp_arch_remove(void *ctx, uint32_t arch)',
  merge: 'int seccomp_merge(void *ctx, void *other)',
  resolve: 'int seccomp_syscall_resolve_name_arch(uint32_t arch, const char *name)',
  addRule:
    'int seccomp_rule_add_array(void *ctx, uint32_t action, int syscall, unsigned int count, const void *compares)',
  export: 'int seccomp_export_bpf(void *ctx, int fd)',
})

/** libseccomp, for `seccomp/filter.ts`. */
export function libseccomp(): ReturnType<typeof seccomp> {
  return seccomp()
}
