/** A user namespace: whose ids are which of the host's, what is done before it is entered, and the way in. */
import { Failure } from '../../lib/failure.ts'
import type { HostFacts } from '../host.ts'
import type { ContainerSpec, IdRange, ProcessSpec, RlimitSpec, UserNamespace } from '../spec.ts'
import { type Step, step } from '../steps.ts'
import { rlimitResource } from './limits.ts'
import { cloneFlags } from './namespaces.ts'

const cause = 'HostConfig.UsernsMode'

/** The ids that a container's are on the host; undefined when they are the same. */
export function idsOf(user: UserNamespace): IdRange | undefined {
  return user.kind === 'host' ? undefined : user.ids
}

/** A line of uid_map or gid_map: all from 0 on. */
function map(first: number, size: number): string {
  return `0 ${first} ${size}\n`
}

/** Host steps: the namespace, and with it those of `flags`, which belong to it. */
export function userSteps(user: UserNamespace, flags: number): Step[] {
  switch (user.kind) {
    case 'host':
      return []
    case 'own': {
      const { uid, gid, size } = user.ids
      return [step('user-new', { uids: map(uid, size), gids: map(gid, size), flags }, cause)]
    }
    case 'join':
      return [
        step('target', { pid: user.pid, cgroup: `/${user.cgroupPath}` }, cause),
        step('user-of-target', { flags }, cause),
      ]
    default:
      return user satisfies never
  }
}

const hint = 'Give it userns_mode: host'

/** What only the user namespace of the host can have, in Docker's words. @throws Failure `invalid`. */
export function checkOfHost(asked: {
  readonly privileged: boolean
  readonly hostNetwork: boolean
  readonly hostPid: boolean
}): void {
  if (asked.privileged)
    throw new Failure(
      'invalid',
      'privileged mode is incompatible with user namespaces.  You must run the container in the host namespace when running privileged mode',
      { hint },
    )
  if (asked.hostNetwork)
    throw new Failure('invalid', "cannot share the host's network namespace when user namespaces are enabled", { hint })
  if (asked.hostPid)
    throw new Failure('invalid', 'cannot share the host PID namespace when user namespaces are enabled', { hint })
}

/** What a container with a user namespace cannot have, or this kernel not give it. */
export function checkUserNamespace(spec: ContainerSpec, facts: HostFacts): void {
  const { namespaces, privileged, network, process, devices } = spec
  const ids = idsOf(namespaces.user)
  if (ids === undefined) return
  checkOfHost({ privileged, hostNetwork: network.kind === 'host', hostPid: namespaces.pid.kind === 'host' })
  if (!facts.layerByLayer)
    throw new Failure(
      'unsupported',
      'Cannot make a user namespace: overlay of this kernel takes no layers with mapped ids',
      { hint: 'Use a kernel of 6.5 or later, or userns_mode: host' },
    )
  checkUser(process, ids)
  const outside = devices.find(({ path }) => !path.startsWith('/dev/'))
  if (outside)
    throw new Failure('unsupported', `Cannot make device "${outside.path}" in a user namespace: it is not below /dev`, {
      hint,
    })
  if (spec.writableCgroups)
    throw new Failure(
      'unsupported',
      'Cannot let a container in a user namespace write its cgroups: they belong to root of the host',
      { hint: 'Leave writable-cgroups out, or give it userns_mode: host' },
    )
}

/** @throws Failure `invalid` for an id that has no meaning inside. */
export function checkUser({ user }: Pick<ProcessSpec, 'user'>, { size }: IdRange): void {
  const strange = [user.uid, user.gid, ...user.groups].find(id => id >= size)
  if (strange !== undefined)
    throw new Failure('invalid', `Cannot become user or group ${strange}: a user namespace has 0 to ${size - 1}`, {
      hint: 'Use a lower id, or userns_mode: host',
    })
}

/** The owner of its streams, as the host counts. */
export function streamOwner({ user }: ProcessSpec, ids: IdRange | undefined): number {
  return user.uid + (ids?.uid ?? 0)
}

/** Hard limits are the host's to raise. */
export function raiseSteps(rlimits: readonly RlimitSpec[]): Step[] {
  return rlimits.map(({ name, hard }) =>
    step('raise-limit', { resource: rlimitResource(name), hard }, 'HostConfig.Ulimits'),
  )
}

/** In as its root; what is new belongs to it. The one who goes on is born there, as process 1 of a new pid namespace. */
export function enterUserSteps({ namespaces: { pid, ipc, uts, cgroup } }: ContainerSpec): Step[] {
  const flags =
    cloneFlags.mnt |
    (cgroup === 'new' ? cloneFlags.cgroup : 0) |
    (pid.kind === 'new' ? cloneFlags.pid : 0) |
    (ipc.kind === 'new' ? cloneFlags.ipc : 0) |
    (uts === 'new' ? cloneFlags.uts : 0)
  return [step('user-enter', { flags }, cause), step('fork', {}, cause)]
}

/** A mount shows the ids of its files as the namespace's own. */
export function mapSteps(slot: number, path: string, recursive: boolean, ids: IdRange | undefined): Step[] {
  return ids === undefined ? [] : [step('map-ids', { slot, path, recursive: recursive ? 1 : 0 }, cause)]
}
