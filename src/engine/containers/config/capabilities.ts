/** CapAdd and CapDrop over Docker's default fourteen → the set a container has: pure. */
import { bareCapability, capabilityNames } from '../../../lib/capabilities.ts'
import { Failure } from '../../../lib/failure.ts'

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
    const bare = bareCapability(name)
    if (bare !== 'ALL' && !capabilityNames.includes(bare))
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
  if (options.privileged) return [...capabilityNames]
  const bare = (name: string) => name.replace(/^CAP_/, '')
  const add = options.add.map(bare)
  const drop = options.drop.map(bare)
  if (add.includes('ALL')) return capabilityNames.filter(name => !drop.includes(name))
  const start: readonly string[] = drop.includes('ALL') ? [] : defaultCapabilities.filter(name => !drop.includes(name))
  const set = new Set([...start, ...add])
  return capabilityNames.filter(name => set.has(name))
}
