/** Containers of an engine in memory whose logs are followed. */
import type { OutputChunk } from '../../../../src/api/frames.ts'
import type { FollowEvent } from '../../../../src/targets/engine/logs/logs.ts'
import { FakeClient, inspect } from '../fake-client.ts'

export async function* chunks(...pieces: readonly (readonly ['stdout' | 'stderr', string | Uint8Array])[]) {
  for (const [stream, data] of pieces) yield { stream, data: Buffer.from(data) } satisfies OutputChunk
}

export function item(id: string, state = 'running'): object {
  const labels = { 'com.docker.compose.service': id, 'com.docker.compose.container-number': '1' }
  return { Id: id, Names: [`/shop-${id}-1`], Labels: labels, State: state, Status: '', HostConfig: {}, Mounts: [] }
}

export function attributes(id: string, more: object = {}): Record<string, string> {
  return { name: `shop-${id}-1`, 'com.docker.compose.service': id, 'com.docker.compose.container-number': '1', ...more }
}

export function told(event: FollowEvent): string {
  if (event.kind === 'line') return `${event.container}: ${event.text}`
  if (event.kind === 'unreadable') return `${event.container} unreadable`
  return `${event.container} exited ${event.exitCode}${event.restarts ? ', restarts' : ''}`
}

/** An engine with containers that are started and end by hand; its list can be held back once it is made up. */
export class World {
  readonly states = new Map<string, { status: string; startedAt: number; exitCode: number }>()
  readonly logs = new Map<string, string[]>()
  /** Called between the making of a list and its answer. */
  beforeAnswer: () => void | Promise<void> = () => undefined
  readonly client: FakeClient = new FakeClient({
    containerList: async () => {
      const listed = [...this.states].map(([id, { status }]) => item(id, status))
      await this.beforeAnswer()
      return listed
    },
    containerLogs: ({ params }) => this.#log(params!['id']!),
    pastLogList: () => [],
    containerInspect: ({ params }) => {
      const { status, startedAt, exitCode } = this.states.get(params!['id']!)!
      const StartedAt = new Date(startedAt).toISOString()
      const own = { Status: status, Running: status === 'running', Restarting: status === 'restarting' }
      return inspect(params!['id']!, { ...own, ExitCode: exitCode, StartedAt })
    },
  })
  #time = Date.now() + 1000

  start(id: string, tell = true): void {
    this.states.set(id, { status: 'running', startedAt: ++this.#time, exitCode: 0 })
    this.print(id, 'hello')
    if (tell) this.client.emit(id, 'start', attributes(id), ++this.#time)
  }

  print(id: string, text: string): void {
    this.logs.set(id, [...(this.logs.get(id) ?? []), `${new Date(++this.#time).toISOString()} ${text}`])
  }

  end(id: string, exitCode: number, { tell = true, restarts = false } = {}): void {
    const { startedAt } = this.states.get(id)!
    this.states.set(id, { status: restarts ? 'restarting' : 'exited', startedAt, exitCode })
    if (tell) this.client.emit(id, 'die', attributes(id, { exitCode: `${exitCode}` }), ++this.#time)
  }

  #log(id: string) {
    return chunks(...(this.logs.get(id) ?? []).map(line => ['stdout', `${line}\n`] as const))
  }
}
