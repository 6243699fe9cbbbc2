/** Compiles a resolved container into the flat program its monitor runs: the parts, in order. */
import type { HostDevice, HostFacts } from './host.ts'
import { cgroupSteps, oomFile } from './parts/cgroup.ts'
import { deviceSteps } from './parts/devices.ts'
import { oomScoreStep } from './parts/limits.ts'
import { maskSteps } from './parts/masks.ts'
import { devSteps, hostMounts, mountSteps, ownMounts, takeOwn } from './parts/mounts.ts'
import { cloneStep, enterSteps, joinSteps, nameSteps } from './parts/namespaces.ts'
import { networkSteps } from './parts/network.ts'
import { apparmorSteps, processSteps, stdioStep } from './parts/process.ts'
import { attachMapped, rootSteps } from './parts/root.ts'
import { slots } from './parts/slots.ts'
import { checkUserNamespace, enterUserSteps, idsOf, mapSteps, raiseSteps } from './parts/user-namespace.ts'
import type { Program } from './program.ts'
import type { ContainerSpec, IdRange, LogFileSpec, SuperviseSpec } from './spec.ts'
import { type Step, step } from './steps.ts'

export interface CompileOptions {
  readonly facts: HostFacts
  /** The seccomp program; undefined when unconfined. */
  readonly filter: Buffer | undefined
  /** Devices of the host, for a privileged container, and where none can be made. */
  readonly devices: readonly HostDevice[]
}

/** Host steps: the monitor's folder and log file. `oom`: where out-of-memory kills are counted, "" for an exec. */
export function superviseSteps(supervise: SuperviseSpec, { oom, lasting }: { oom: string; lasting: boolean }): Step[] {
  const { directory, log } = supervise
  return [step('supervise', { directory, oom, lasting: Number(lasting) }), ...(log === undefined ? [] : [logStep(log)])]
}

function logStep({ path, maxSize, maxFiles, attributes }: LogFileSpec): Step {
  const member = Object.keys(attributes).length === 0 ? '' : `"attrs":${asGoWrites(attributes)},`
  return step('log', { path, size: maxSize, files: maxFiles, attributes: member }, 'HostConfig.LogConfig')
}

/** In the order of the names, and with what HTML would take for its own escaped. */
function asGoWrites(map: Readonly<Record<string, string>>): string {
  const text = (value: string) =>
    JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
  const members = Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([name, value]) => `${text(name)}:${text(value)}`).join(',')}}`
}

/** After every mount point has been made; /dev and the mounts asked for are file systems of their own. */
const readonlyRoot = step(
  'attributes',
  { slot: slots.root, set: 1, clear: 0, propagation: 0, recursive: 0 },
  'HostConfig.ReadonlyRootfs',
)

/** Made on the host, shown with mapped ids: a /dev whose devices work, and whose root is the namespace's. */
function ownDevices(spec: ContainerSpec, ids: IdRange): Step[] {
  if (spec.mounts.some(mount => mount.target === '/dev')) return []
  return [...devSteps(), ...deviceSteps(spec, { ofHost: [], bound: false }), ...mapSteps(slots.dev, '/dev', false, ids)]
}

/** Pure: the same spec on the same machine gives the same bytes. */
export function compile(spec: ContainerSpec, { facts, filter, devices }: CompileOptions): Program {
  checkUserNamespace(spec, facts)
  const cgroup = cgroupSteps(facts.cgroup, spec.cgroup, spec.privileged || facts.rootless)
  const { cwd } = spec.process
  const { user } = spec.namespaces
  const mounts = mountSteps(spec, facts)
  return {
    host: [
      ...superviseSteps(spec.supervise, { oom: oomFile(facts.cgroup, spec.cgroup.path), lasting: true }),
      stdioStep(spec.stdio, spec.process, idsOf(user)),
      ...cgroup.host,
      ...networkSteps(spec.network, user),
      ...joinSteps(spec, facts.cgroup),
      ...hostMounts(spec),
      cloneStep(spec),
    ],
    child: [
      ...cgroup.child,
      ...enterSteps(spec),
      ...(user.kind === 'host' ? nameSteps(spec) : []),
      oomScoreStep(spec.oomScoreAdj),
      ...apparmorSteps(spec.process.apparmor),
      ...rootSteps(spec, facts),
      ...(user.kind === 'host'
        ? [
            ...ownMounts(spec, facts),
            ...deviceSteps(spec, { ofHost: devices, bound: facts.rootless }),
            ...mounts.flatMap(({ take, put }) => [...take, ...put]),
          ]
        : [
            // with the host's rights, which end where the namespace is entered
            ...ownDevices(spec, user.ids),
            ...takeOwn(spec, facts),
            ...mounts.flatMap(({ take }) => take),
            ...raiseSteps(spec.process.rlimits),
            ...enterUserSteps(spec),
            ...nameSteps(spec),
            attachMapped,
            ...ownMounts(spec, facts),
            ...mounts.flatMap(({ put }) => put),
          ]),
      ...maskSteps(spec),
      ...(cwd === '/' ? [] : [step('folder', { slot: slots.root, path: cwd, mode: 0o755 }, 'WorkingDir')]),
      ...(spec.root.readonly ? [readonlyRoot] : []),
      step('pivot', { slot: slots.root }),
      ...processSteps(spec.process, { stdio: spec.stdio, filter, facts, init: spec.init, inside: true }),
    ],
  }
}
