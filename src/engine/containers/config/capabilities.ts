/** CapAdd and CapDrop over Docker's default fourteen → the set a container has: pure. */
import { Failure } from '../../../lib/failure.ts'

export const allCapabilities = [
  'CHOWN',
  'DAC_OVERRIDE',
  'DAC_READ_SEARCH',
  'FOWNER',
  'FSETID',
  'KILL',
  'SETGID',
  'SETUID',
  'SETPCAP',
  'LINUX_IMMUTABLE',
  'NET_BIND_SERVICE',
  'NET_BROADCAST',
  'NET_ADMIN',
  'NET_RAW',
  'IPC_LOCK',
  'IPC_OWNER',
  'SYS_MODULE',
  'SYS_RAWIO',
  'SYS_CHROOT',
  'SYS_PTRACE',
  'SYS_PACCT',
  'SYS_ADMIN',
  'SYS_BOOT',
  'SYS_NICE',
  'SYS_RESOURCE',
  'SYS_TIME',
  'SYS_TTY_CONFIG',
  'MKNOD',
  'LEASE',
  'AUDIT_WRITE',
  'AUDIT_CONTROL',
  'SETFCAP',
  'MAC_OVERRIDE',
  'MAC_ADMIN',
  'SYSLOG',
  'WAKE_ALARM',
  'BLOCK_SUSPEND',
  'AUDIT_READ',
  'PERFMON',
  'BPF',
  'CHECKPOINT_RESTORE',
] as const

export const defaultCapabilities = [
  'CHOWN',
  'DAC_OVERRIDE',
  'FSETID',
  'FOWNER',
  'MKNOD',
  'NET_RAW',
  'SETGID',
  'SETUID',
  'SETFCAP',
  'SETPCAP',
  'NET_BIND_SERVICE',
  'SYS_CHROOT',
  'KILL',
  'AUDIT_WRITE',
] as const

/** Upper case without CAP_; the order of the kernel's numbers. @throws Failure `invalid` with Docker's text. */
export function checkCapabilities(field: 'CapAdd' | 'CapDrop', names: readonly string[]): string[] {
  return names.map(name => {
    const bare = name.toUpperCase().replace(/^CAP_/, '')
    if (bare !== 'ALL' && !(allCapabilities as readonly string[]).includes(bare))
      throw new Failure('invalid', `invalid ${field}: unknown capability: "CAP_${bare}"`)
    return bare === 'ALL' ? 'ALL' : `CAP_${bare}`
  })
}

/** What is left after dropping and adding; a name in both is kept, unless ALL is added, as Docker has it. */
export function capabilitySet(options: {
  readonly add: readonly string[]
  readonly drop: readonly string[]
  readonly privileged: boolean
}): string[] {
  if (options.privileged) return [...allCapabilities]
  const bare = (name: string) => name.replace(/^CAP_/, '')
  const add = options.add.map(bare)
  const drop = options.drop.map(bare)
  if (add.includes('ALL')) return allCapabilities.filter(name => !drop.includes(name))
  const start: readonly string[] = drop.includes('ALL') ? [] : defaultCapabilities.filter(name => !drop.includes(name))
  const set = new Set([...start, ...add])
  return allCapabilities.filter(name => set.has(name))
}
