/** The end of every program, container's or exec's: stdio, identity, rights, command. */
import type { HostFacts } from '../host.ts'
import type { IdRange, ProcessSpec, StdioSpec } from '../spec.ts'
import { type Step, step } from '../steps.ts'
import { capabilityMask, capabilitySteps } from './capabilities.ts'
import { rlimitSteps } from './limits.ts'
import { slots } from './slots.ts'
import { streamOwner } from './user-namespace.ts'

const stdioFlags = { terminal: 1, stdin: 2, once: 4 } as const
export const attachFlags = { stdin: 1, stdout: 2, stderr: 4 } as const

/** The flags of an attachment on the wire. */
export function attachBits(
  streams: { readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean } | undefined,
): number {
  if (streams === undefined) return 0
  return (
    (streams.stdin ? attachFlags.stdin : 0) |
    (streams.stdout ? attachFlags.stdout : 0) |
    (streams.stderr ? attachFlags.stderr : 0)
  )
}

/** A host step: what the monitor keeps of the process's streams. */
export function stdioStep(stdio: StdioSpec, spec: ProcessSpec, ids: IdRange | undefined): Step {
  const uid = streamOwner(spec, ids)
  const flags =
    (stdio.terminal ? stdioFlags.terminal : 0) |
    (stdio.stdin ? stdioFlags.stdin : 0) |
    (stdio.stdinOnce ? stdioFlags.once : 0)
  const [rows, columns] = stdio.size
  return step('stdio', { flags, attach: attachBits(stdio.attach), rows, columns, uid }, 'Tty, OpenStdin')
}

/**
 * Child steps from the point where the root is in place. `inside`: the container's first process, born in its pid namespace; it has
 * `/dev/console` made. Others fork into that namespace last.
 */
export function processSteps(
  spec: ProcessSpec,
  options: {
    readonly stdio: StdioSpec
    readonly filter: Buffer | undefined
    readonly facts: HostFacts
    readonly init: boolean
    readonly inside: boolean
  },
): Step[] {
  const { stdio, filter, facts, init, inside } = options
  const { uid, gid, groups } = spec.user
  const { bound, set } = capabilitySteps(spec.capabilities, facts)
  const seccomp = filter === undefined ? [] : [step('seccomp', { filter }, 'HostConfig.SecurityOpt')]
  const list = Buffer.alloc(groups.length * 4)
  for (const [index, group] of groups.entries()) list.writeUInt32LE(group, index * 4)
  const session = stdio.terminal
    ? step('terminal', { slot: slots.pts, uid, console: inside ? 1 : 0 }, 'Tty')
    : step('session', {})
  return [
    ...(inside ? [session] : []),
    ...rlimitSteps(spec.rlimits, facts.files),
    step('cwd', { path: spec.cwd }, 'WorkingDir'),
    step('umask', { mask: spec.umask }),
    bound,
    // without no_new_privs only CAP_SYS_ADMIN may install a filter, so it comes before that is given up
    ...(spec.noNewPrivileges ? [] : seccomp),
    step('identity', { uid, gid, groups: list }, 'User'),
    set,
    ...(spec.noNewPrivileges ? [step('no-new-privileges', {}, 'HostConfig.SecurityOpt'), ...seccomp] : []),
    ...(inside ? [] : [step('fork', {}, 'exec'), session]),
    ...(init ? [step('init', { capabilities: initCapabilities(spec, facts) }, 'HostConfig.Init')] : []),
    step('exec', { argv: spec.args, env: spec.env }, 'Entrypoint, Cmd'),
  ]
}

/** An init of root's passes signals on to processes of any user; another user's has lost all rights, as by an exec. */
function initCapabilities(spec: ProcessSpec, facts: HostFacts): number {
  if (spec.user.uid !== 0) return 0
  const kept = spec.capabilities.effective.filter(name => name === 'KILL')
  return Number(capabilityMask(kept) & facts.capabilities)
}

/** By the host's own procfs, before the root changes. */
export function apparmorSteps(profile: string | undefined): Step[] {
  if (profile === undefined) return []
  return [step('write', { path: '/proc/self/attr/apparmor/exec', value: `exec ${profile}` }, 'HostConfig.SecurityOpt')]
}
