/** The log of one container as lines: chunks cut anywhere, put together per stream. */

import { containerEndpoints } from '../../../api/containers.ts'
import type { OutputChunk } from '../../../api/frames.ts'
import { pastLogEndpoints } from '../../../api/past-logs.ts'
import type { Client } from '../../../client/client.ts'

export interface LogQuery {
  readonly follow: boolean
  readonly tail: number | undefined
  /** Nanoseconds since 1970. */
  readonly since: bigint | undefined
  readonly until: bigint | undefined
  readonly timestamps: boolean
}

export interface Line {
  readonly stream: OutputChunk['stream']
  readonly time: string | undefined
  readonly text: string
}

export interface Reading {
  readonly query: LogQuery
  readonly signal: AbortSignal | undefined
  /** Of a container that is no more; nothing is added to it. */
  readonly isPast?: boolean | undefined
}

export async function* readLog(client: Client, id: string, { query, signal, isPast }: Reading): AsyncGenerator<Line> {
  const { follow, timestamps, tail, since, until } = query
  const rest = { stdout: true, stderr: true, timestamps, tail: tail === undefined ? 'all' : String(tail), since, until }
  const params = { id }
  const chunks = isPast
    ? await client.stream(pastLogEndpoints.pastLogRead, { params, query: rest }, { signal })
    : await client.stream(containerEndpoints.containerLogs, { params, query: { ...rest, follow } }, { signal })
  for await (const { stream, text } of splitLines(chunks)) {
    const blank = timestamps && /^\d{4}-/.test(text) ? text.indexOf(' ') : -1
    yield blank < 0
      ? { stream, time: undefined, text }
      : { stream, time: text.slice(0, blank), text: text.slice(blank + 1) }
  }
}

/** A line may not grow without end: it is cut here. */
const longest = 1024 * 1024

/** Without newlines; a last line that has none is given when the stream ends. */
export async function* splitLines(
  chunks: AsyncIterable<OutputChunk>,
): AsyncGenerator<{ readonly stream: OutputChunk['stream']; readonly text: string }> {
  const open = { stdout: new Partial(), stderr: new Partial() }
  for await (const { stream, data } of chunks) for (const text of open[stream].push(data)) yield { stream, text }
  for (const stream of ['stdout', 'stderr'] as const) {
    const text = open[stream].rest()
    if (text !== '') yield { stream, text }
  }
}

class Partial {
  readonly #decoder = new TextDecoder()
  #text = ''

  push(data: Uint8Array): readonly string[] {
    const lines = (this.#text + this.#decoder.decode(data, { stream: true })).split('\n')
    this.#text = lines.pop()!
    while (this.#text.length > longest) {
      lines.push(this.#text.slice(0, longest))
      this.#text = this.#text.slice(longest)
    }
    // a terminal ends its lines with CR LF
    return lines.map(line => (line.endsWith('\r') ? line.slice(0, -1) : line))
  }

  rest(): string {
    return this.#text + this.#decoder.decode()
  }
}
