/** Whose ids a container has, by its modes; and the user namespace that its process gets. */
import { Failure } from '../../lib/failure.ts'
import { checkOfHost } from '../../runtime/parts/user-namespace.ts'
import type { NetworkSpec, UserNamespace } from '../../runtime/spec.ts'
import type { Users } from '../users/user-ranges.ts'
import type { HostConfig } from './config/host-config.ts'
import type { Container } from './container.ts'
import { groupLabel } from './member.ts'
import { joined, type Parts } from './parts.ts'

type Modes = Pick<HostConfig, 'UsernsMode' | 'NetworkMode' | 'PidMode' | 'IpcMode' | 'Privileged'>

interface New {
  readonly id: string
  readonly labels: Readonly<Record<string, string>>
  /** With "container:" by id. */
  readonly modes: Modes
}

/**
 * Undefined: those of the host. What is joined decides, since only in the namespace that a network or process belongs to one has any
 * say in it. Otherwise all containers of a project have the same, unless one asks for its own.
 * @throws Failure `invalid`, `conflict` in Docker's words where it has some.
 */
export function usersOf(parts: Pick<Parts, 'users' | 'get'>, { id, labels, modes }: New): Users | undefined {
  const { UsernsMode, NetworkMode, PidMode, IpcMode } = modes
  const mode = UsernsMode || parts.users.mode
  if (mode === 'host') return undefined
  const others = [UsernsMode, NetworkMode, PidMode, IpcMode].flatMap(each => joined(parts, each) ?? [])
  checkOfHost({ privileged: modes.Privileged, hostNetwork: NetworkMode === 'host', hostPid: PidMode === 'host' })
  const [first, ...more] = others
  if (first === undefined) {
    const project = mode === 'auto' ? labels[groupLabel] : undefined
    return parts.users.take(id, project ? `project ${project}` : `container ${id}`)
  }
  const { users } = first.record
  for (const other of more)
    if (other.record.users?.key !== users?.key)
      throw new Failure(
        'conflict',
        `Cannot join "${first.name}" and "${other.name}": they have different user namespaces`,
      )
  if (users !== undefined) parts.users.hold(id, users)
  else if (UsernsMode !== '')
    throw new Failure('conflict', `Cannot join "${first.name}" in a user namespace: it has that of the host`, {
      hint: 'Give both the same userns_mode',
    })
  return users
}

/**
 * Of the next process. A network that is there, its own or another's, has one already. `dry`: only to be shown.
 * @throws Failure `conflict` when the one to join does not run.
 */
export function userNamespace(
  parts: Pick<Parts, 'get'>,
  { record }: Container,
  { network, dry }: { readonly network: NetworkSpec; readonly dry?: boolean },
): UserNamespace {
  const { users, hostConfig } = record
  if (users === undefined) return { kind: 'host' }
  const { uid, gid, size } = users
  const ids = { uid, gid, size }
  const modes = [hostConfig.UsernsMode, hostConfig.PidMode, hostConfig.IpcMode]
  const other = network.kind === 'join' ? undefined : modes.map(mode => joined(parts, mode)).find(Boolean)
  if (other === undefined) return { kind: 'own', ids }
  if (!other.running && !dry)
    throw new Failure('conflict', `failed to join user namespace: container ${other.id} is not running`)
  return { kind: 'join', ids, pid: other.state.pid, cgroupPath: other.cgroup }
}
