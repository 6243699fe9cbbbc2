/** What a process of a container may do: its first one, and every exec after it: pure. */
import { capabilityNames } from '../../../lib/capabilities.ts'
import type { ProcessSpec } from '../../../runtime/spec.ts'
import { capabilitySet } from './capabilities.ts'
import type { HostConfig } from './host-config.ts'
import { checkSecurityOptions, type SeccompChoice } from './security-options.ts'

export interface ProcessRequest extends Pick<ProcessSpec, 'args' | 'env' | 'cwd' | 'user'> {
  /** Every capability, and no AppArmor profile; the filter of system calls stays that of the container. */
  readonly privileged: boolean
}

export function processSpec(hostConfig: HostConfig, request: ProcessRequest): ProcessSpec {
  const { args, env, cwd, user, privileged } = request
  const security = checkSecurityOptions(hostConfig.SecurityOpt ?? [])
  const own = capabilitySet({
    add: hostConfig.CapAdd ?? [],
    drop: hostConfig.CapDrop ?? [],
    privileged: hostConfig.Privileged,
  })
  const granted = privileged ? [...capabilityNames] : own
  const seccomp: SeccompChoice = security.seccomp ?? { kind: hostConfig.Privileged ? 'unconfined' : 'default' }
  return {
    args,
    env,
    cwd,
    user: { uid: user.uid, gid: user.gid, groups: user.groups },
    capabilities: { bounding: granted, effective: granted },
    noNewPrivileges: security.noNewPrivileges,
    seccomp: seccomp.kind === 'unconfined' ? seccomp : { ...seccomp, capabilities: own },
    rlimits: hostConfig.Ulimits.map(limit => ({ name: limit.Name, soft: limit.Soft, hard: limit.Hard })),
    umask: 0o022,
    apparmor: privileged || security.apparmor === 'unconfined' ? undefined : security.apparmor,
  }
}
