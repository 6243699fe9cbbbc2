/** Takes a container over from the engine before: it runs on, has ended meanwhile, or is gone with the last boot. */
import { existsSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { messageOf } from '../../lib/failure.ts'
import type { Exit, Supervised } from '../../runtime/runtime.ts'
import type { HostOperation } from '../../runtime/spec.ts'
import { removeFolder } from '../base/remove-folder.ts'
import type { Container, ContainerState } from './container.ts'
import { hasNameServer } from './files/host-files.ts'
import { memberOf } from './member.ts'
import { mendSandbox } from './mend-network.ts'
import { releaseNetwork, serveNames } from './network.ts'
import type { Parts } from './parts.ts'
import { unknownCode } from './records.ts'

/** What became of it, for the collection to follow up. */
export type Adopted =
  | { readonly kind: 'running'; readonly process: Supervised }
  | { readonly kind: 'exited'; readonly exit: Exit }
  | { readonly kind: 'idle' }

/** What it holds is its own again, in the books; before the first container is started, which would be given the same. Never fails. */
export async function adoptNetwork(parts: Parts, container: Container): Promise<void> {
  const { state, name } = container
  if (state.boot !== parts.boot || !state.sandbox) return
  try {
    await mendSandbox(parts, container).catch(error => parts.say(messageOf(error)))
    if (!parts.runtime.hasSandbox(state.sandbox))
      parts.say(`The network namespace of "${name}" is gone from "${state.sandbox}"`)
    parts.networks.stepBack(container.id, state.stepsBack ?? false)
    container.note(await parts.networks.adopt(memberOf(container), state))
    if (hasNameServer(container.state.attachments)) await serveNames(parts, container, state.sandbox)
  } catch (error) {
    parts.say(`Cannot take over the network of "${name}": ${messageOf(error)}`)
    container.note({ error: messageOf(error) })
  }
}

export type FoundProcess = Supervised | Exit | undefined

/**
 * The process of one that runs by its state, or how it ended. Before anything else of it is touched: its state may be of an earlier run, when
 * no disk has taken the last one, and that process's number is another's by now. Never fails.
 */
export async function findProcess(parts: Parts, container: Container): Promise<FoundProcess> {
  const { state, name } = container
  if (state.boot !== parts.boot || !isExpected(state)) return undefined
  const found = await find(parts, container)
  if (found?.kind === 'running' && found.pid !== state.pid) {
    parts.say(
      `The last start of "${name}" is not in its state, which is that of process ${state.pid} and not ${found.pid}`,
    )
    container.note({ pid: found.pid, startedAt: found.startedAt.toISOString() })
    await container.save()
  }
  return found
}

const isExpected = ({ status }: ContainerState) => status === 'running' || status === 'paused'

/** `found`: by `findProcess`. */
export async function adopt(parts: Parts, container: Container, found: FoundProcess): Promise<Adopted> {
  const { state } = container
  const expected = isExpected(state)
  if (state.boot !== parts.boot) {
    const wasUp = expected || state.status === 'restarting' || state.status === 'starting'
    container.state = {
      ...state,
      boot: parts.boot,
      status: state.startedAt ? 'exited' : 'created',
      pid: 0,
      sandbox: undefined,
      attachments: [],
      ports: [],
      ...(wasUp && { exitCode: unknownCode, finishedAt: new Date().toISOString() }),
    }
    await container.save()
    return { kind: 'idle' }
  }
  if (!expected) {
    // between two runs, or interrupted in the middle of a start: whatever is found was never told to be running
    if (state.status === 'restarting' || state.status === 'starting' || state.status === 'removing')
      container.state = { ...container.state, status: state.startedAt ? 'exited' : 'created', pid: 0 }
    await endUntold(parts, container)
    // an exit that was recorded, and the engine killed before it had given everything back
    await releaseNetwork(parts, container)
    return { kind: 'idle' }
  }
  if (found?.kind === 'running') return { kind: 'running', process: found }
  if (!found) parts.say(`Nobody knows how "${container.name}" ended: its monitor is gone and has written nothing down`)
  return { kind: 'exited', exit: found ?? lost() }
}

/** Its monitor, or what that has written down; whatever its folder holds. Never fails: nobody could stop what is neither found nor lost. */
async function find({ paths, runtime, aside, say }: Parts, { id, state, cgroup, name }: Container) {
  try {
    await aside.folder(paths.monitor(id))
    return await runtime.adopt(paths.monitor(id), { pid: state.pid, cgroup })
  } catch (error) {
    if (existsSync(paths.monitorExit(id))) aside.keep(paths.monitorExit(id), messageOf(error))
    else say(`Cannot reach the monitor of "${name}": ${messageOf(error)}`)
    return undefined
  }
}

/** A start that the engine before did not live to record: nobody was told of its process, so it ends, with all it was given. */
async function endUntold(parts: Parts, container: Container): Promise<void> {
  const { id, state, cgroup, name } = container
  const found = await parts.runtime.adopt(parts.paths.monitor(id), { pid: state.pid, cgroup })
  const path = parts.paths.sandbox(id)
  if (found?.kind === 'running') {
    parts.say(`Process ${found.pid} of "${name}" was never told to run, and is ended`)
    found.signal(9)
    await found.exited
  } else if ((state.sandbox === path || !existsSync(path)) && !parts.runtime.cgroups.exists(cgroup)) return
  const operations: HostOperation[] = [{ kind: 'delete-cgroup', path: cgroup }]
  if (state.sandbox !== path) operations.push({ kind: 'delete-sandbox', path })
  await parts.runtime.runHost({ kind: 'host', operations })
}

/** The monitor was killed, and its container with it. */
function lost(): Exit {
  return { kind: 'exited', code: unknownCode, signal: undefined, oomKilled: false, finishedAt: new Date() }
}

/** How long what is nobody's any more has to end in order, in milliseconds. */
const grace = 10_000

/** Its record is lost, so nobody could ever stop it: what still runs of it is ended, and what it held given back. */
export async function endLost({ paths, runtime, say }: Parts, id: string): Promise<void> {
  const cgroup = paths.name.cgroup(id)
  const found = await runtime.adopt(paths.monitor(id), { pid: 0, cgroup })
  if (found?.kind === 'running') {
    say(`Process ${found.pid} belongs to container "${id}", whose record is lost, and is ended`)
    found.signal(15)
    await Promise.race([found.exited, pause(grace, undefined, { ref: false })])
  }
  await runtime.runHost({
    kind: 'host',
    operations: [
      { kind: 'delete-cgroup', path: cgroup },
      { kind: 'delete-sandbox', path: paths.sandbox(id) },
    ],
  })
  await removeFolder(paths.containerRun(id))
}
