/** Takes a container over from the engine before: it runs on, has ended meanwhile, or is gone with the last boot. */
import { existsSync } from 'node:fs'
import type { Exit, Supervised } from '../../runtime/runtime.ts'
import type { HostOperation } from '../../runtime/spec.ts'
import type { Attachment } from '../networks/attachment.ts'
import type { PublishedPort } from '../networks/published-port.ts'
import type { Container } from './container.ts'
import { hasNameServer } from './files/host-files.ts'
import { serveNames } from './network.ts'
import type { Parts } from './parts.ts'

/** What nobody can tell any more. */
const unknownCode = 255

/** What became of it, for the collection to follow up. */
export type Adopted =
  | { readonly kind: 'running'; readonly process: Supervised }
  | { readonly kind: 'exited'; readonly exit: Exit }
  | { readonly kind: 'idle' }

export async function adopt(parts: Parts, container: Container): Promise<Adopted> {
  const { state } = container
  const expected = state.status === 'running' || state.status === 'paused'
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
  if (state.sandbox) await adoptNetwork(parts, container)
  if (!expected) {
    // between two runs, or interrupted in the middle of a start: whatever is found was never told to be running
    if (state.status === 'restarting' || state.status === 'starting' || state.status === 'removing')
      container.state = { ...container.state, status: state.startedAt ? 'exited' : 'created', pid: 0 }
    await endUntold(parts, container)
    return { kind: 'idle' }
  }
  const found = await parts.runtime.adopt(parts.paths.monitor(container.id))
  if (found?.kind === 'running') return { kind: 'running', process: found }
  return { kind: 'exited', exit: found ?? lost() }
}

/** A start that the engine before did not live to record: nobody was told of its process, so it ends, with all it was given. */
async function endUntold(parts: Parts, { id, state, cgroup }: Container): Promise<void> {
  const found = await parts.runtime.adopt(parts.paths.monitor(id))
  const path = parts.paths.sandbox(id)
  if (found?.kind === 'running') {
    found.signal(9)
    await found.exited
  } else if (state.sandbox === path || !existsSync(path)) return
  const operations: HostOperation[] = [{ kind: 'delete-cgroup', path: cgroup }]
  if (state.sandbox !== path) operations.push({ kind: 'delete-sandbox', path })
  await parts.runtime.runHost({ kind: 'host', operations })
}

/** The monitor was killed, and its container with it. */
function lost(): Exit {
  return { kind: 'exited', code: unknownCode, signal: undefined, oomKilled: false, finishedAt: new Date() }
}

async function adoptNetwork(parts: Parts, container: Container): Promise<void> {
  const { state, record } = container
  const member = { id: container.id, name: container.name, hostname: record.config.Hostname }
  const { attachments, ports }: { attachments: Attachment[]; ports: PublishedPort[] } = await parts.networks.adopt(
    member,
    { attachments: state.attachments, ports: state.ports },
  )
  container.note({ attachments, ports })
  if (state.sandbox && hasNameServer(attachments)) await serveNames(parts, container, state.sandbox)
}
