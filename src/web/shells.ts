/** Terminals in containers: a shell each, which outlives a page that loses its connection for a while. */
import { randomUUID } from 'node:crypto'
import type { WebSocket } from 'ws'
import { z } from 'zod'
import { containerEndpoints } from '../api/containers.ts'
import { execEndpoints } from '../api/exec.ts'
import type { Client, Hijacked } from '../client/client.ts'
import { Failure, messageOf } from '../lib/failure.ts'
import { labels } from '../targets/engine/labels.ts'

/** Milliseconds for which a shell waits for its page. */
const patience = 60_000
/** Bytes of what was printed that a page is told again. */
const remembered = 256 * 1024
/** Shells at once. */
const most = 32

/** bash where there is one. */
const shell = ['sh', '-c', 'command -v bash >/dev/null 2>&1 && exec bash || exec sh']

const control = z.object({ resize: z.tuple([z.number().int().min(1).max(1000), z.number().int().min(1).max(2000)]) })

interface Shell {
  readonly id: string
  readonly exec: string
  readonly session: Hijacked
  printed: Buffer[]
  size: number
  peer: WebSocket | undefined
  waiting: NodeJS.Timeout | undefined
}

export class Shells {
  readonly #client: Client
  readonly #shells = new Map<string, Shell>()

  constructor(client: Client) {
    this.#client = client
  }

  close(): void {
    for (const shell of this.#shells.values()) this.#end(shell)
  }

  /** Serves a page: `query` names a container, or the shell that it had. Binary messages are what is typed and printed, text says the rest. */
  async serve(peer: WebSocket, query: URLSearchParams): Promise<void> {
    // a page says its size at once, and may have gone by the time its shell is there: both are heard then
    peer.pause()
    try {
      const known = this.#shells.get(query.get('shell') ?? '')
      const shell = known ?? (await this.#begin(query))
      this.#join(shell, peer)
      peer.resume()
    } catch (error) {
      peer.resume()
      peer.send(JSON.stringify({ error: messageOf(error) }))
      peer.close(1000)
    }
  }

  async #begin(query: URLSearchParams): Promise<Shell> {
    if (this.#shells.size >= most) throw new Failure('conflict', 'Cannot open a terminal: too many are open')
    const container = query.get('container') ?? ''
    const inspected = await this.#client.call(containerEndpoints.containerInspect, { params: { id: container } })
    if (inspected.Config.Labels?.[labels.project] === undefined)
      throw new Failure('denied', `Cannot open a terminal in "${container}": it belongs to no stack`)
    const { Id: exec } = await this.#client.call(execEndpoints.execCreate, {
      params: { id: inspected.Id },
      body: {
        AttachStdin: true,
        AttachStdout: true,
        AttachStderr: true,
        Tty: true,
        Cmd: shell,
        Env: ['TERM=xterm-256color'],
      },
    })
    const session = await this.#client.hijack(
      execEndpoints.execStart,
      { params: { id: exec }, body: { Tty: true } },
      { tty: true },
    )
    const made: Shell = { id: randomUUID(), exec, session, printed: [], size: 0, peer: undefined, waiting: undefined }
    this.#shells.set(made.id, made)
    void this.#read(made)
    return made
  }

  #join(shell: Shell, peer: WebSocket): void {
    // the page that had it before has gone, and has not been missed yet
    shell.peer?.close(4000, 'opened elsewhere')
    clearTimeout(shell.waiting)
    shell.peer = peer
    peer.send(JSON.stringify({ shell: shell.id }))
    for (const chunk of shell.printed) peer.send(chunk)
    peer.on('message', (data: Buffer, isBinary) => {
      if (isBinary) shell.session.socket.write(data)
      else this.#control(shell, data.toString())
    })
    peer.on('error', () => peer.terminate())
    peer.on('close', () => {
      if (shell.peer !== peer) return
      shell.peer = undefined
      shell.waiting = setTimeout(() => this.#end(shell), patience)
      shell.waiting.unref()
    })
  }

  #control(shell: Shell, text: string): void {
    const parsed = control.safeParse(parse(text))
    if (!parsed.success) return
    const [rows, columns] = parsed.data.resize
    const query = { h: String(rows), w: String(columns) }
    // it may have ended
    this.#client.call(execEndpoints.execResize, { params: { id: shell.exec }, query }).catch(() => undefined)
  }

  async #read(shell: Shell): Promise<void> {
    try {
      for await (const { data } of shell.session.output) {
        const chunk = Buffer.from(data)
        shell.printed.push(chunk)
        shell.size += chunk.length
        while (shell.size > remembered && shell.printed.length > 1) shell.size -= shell.printed.shift()!.length
        shell.peer?.send(chunk)
      }
    } catch {
      // the engine or the container has gone: it has ended all the same
    }
    shell.peer?.send(JSON.stringify({ ended: await this.#exitCode(shell) }))
    shell.peer?.close(1000)
    this.#end(shell)
  }

  async #exitCode({ exec }: Shell): Promise<number | null> {
    try {
      return (await this.#client.call(execEndpoints.execInspect, { params: { id: exec } })).ExitCode
    } catch {
      // nobody knows any more
      return null
    }
  }

  #end(shell: Shell): void {
    clearTimeout(shell.waiting)
    this.#shells.delete(shell.id)
    // a shell whose terminal hangs up ends
    shell.session.socket.destroy()
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // what is none says nothing
    return undefined
  }
}
