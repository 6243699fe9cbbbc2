/** What the engine's settings say of containers that do not speak of it themselves: pure. */
import { bareCapability } from '../../../lib/capabilities.ts'
import type { HostConfig } from './host-config.ts'

export interface ContainerDefaults {
  readonly noNewPrivileges: boolean
  /** A profile's text, "unconfined" or "builtin". */
  readonly seccomp: string | undefined
  readonly capDrop: readonly string[]
  readonly pidsLimit: number | undefined
  readonly ulimits: HostConfig['Ulimits']
  /** Bytes; shown, as it is filled in when a container is made. */
  readonly shmSize: number | undefined
}

export const noDefaults: ContainerDefaults = {
  noNewPrivileges: false,
  seccomp: undefined,
  capDrop: [],
  pidsLimit: undefined,
  ulimits: [],
  shmSize: undefined,
}

/**
 * As a container is started with it. `inspect` shows what was asked for alone, whose readers compare it with what they asked. A
 * privileged container has asked for everything: no more than limits hold for it.
 */
export function underDefaults(hostConfig: HostConfig, defaults: ContainerDefaults): HostConfig {
  const { Ulimits, PidsLimit, Privileged } = hostConfig
  const set = new Set(Ulimits.map(({ Name }) => Name))
  return {
    ...hostConfig,
    Ulimits: [...Ulimits, ...defaults.ulimits.filter(({ Name }) => !set.has(Name))],
    ...(defaults.pidsLimit !== undefined && isUnsaid(PidsLimit) && { PidsLimit: defaults.pidsLimit }),
    ...(!Privileged && confined(hostConfig, defaults)),
  }
}

/** No limit is the same as none asked for: whoever needs more names how many. */
const isUnsaid = (limit: number | null | undefined) => limit === undefined || limit === null || limit === 0

function confined(
  { SecurityOpt, CapAdd, CapDrop }: HostConfig,
  { noNewPrivileges, seccomp, capDrop }: ContainerDefaults,
): Pick<HostConfig, 'SecurityOpt' | 'CapDrop'> {
  const asked = SecurityOpt ?? []
  const names = (name: string) => asked.some(option => option.split(/[=:]/, 1)[0] === name)
  const added = new Set((CapAdd ?? []).map(bareCapability))
  return {
    SecurityOpt: [
      ...asked,
      ...(noNewPrivileges && !names('no-new-privileges') ? ['no-new-privileges'] : []),
      ...(seccomp !== undefined && !names('seccomp') ? [`seccomp=${seccomp}`] : []),
    ],
    CapDrop: [...(CapDrop ?? []), ...capDrop.filter(name => !added.has('ALL') && !added.has(bareCapability(name)))],
  }
}
