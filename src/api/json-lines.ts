/** JSON documents one after the other, ended by LF or CRLF: progress, events, stats. */
import { Failure } from '../lib/failure.ts'

/** A line of pull, load, import, push and build. */
export interface Progress {
  readonly status?: string
  readonly id?: string
  readonly progress?: string
  readonly progressDetail?: { readonly current?: number; readonly total?: number }
  /** Of load and build, with its newline. */
  readonly stream?: string
  readonly error?: string
  readonly errorDetail?: { readonly message: string; readonly code?: number }
  readonly aux?: Readonly<Record<string, unknown>>
}

/** A line of `POST /build`; with `version=2` its `aux` may be a message of BuildKit's in base64. */
export type BuildLine = Omit<Progress, 'aux'> & { readonly aux?: Progress['aux'] | string }

/** A single line may not be longer. */
const maxLine = 16 * 1024 * 1024

/** @throws Failure `internal` on a line that is no JSON. */
export async function* parseJsonLines<T>(source: AsyncIterable<Uint8Array>): AsyncGenerator<T> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const piece of source) {
    rest += decoder.decode(piece, { stream: true })
    let start = 0
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n', start)) {
      const line = rest.slice(start, end).trim()
      start = end + 1
      if (line !== '') yield parseLine<T>(line)
    }
    rest = rest.slice(start)
    if (rest.length > maxLine) throw new Failure('internal', 'Cannot read the reply: a line is over 16 MiB')
  }
  rest += decoder.decode()
  if (rest.trim() !== '') yield parseLine<T>(rest)
}

function parseLine<T>(line: string): T {
  try {
    return JSON.parse(line) as T
  } catch (cause) {
    throw new Failure('internal', `Cannot read the reply: "${line.slice(0, 80)}" is not JSON`, { cause })
  }
}

export function formatJsonLine(value: unknown, end: '\n' | '\r\n' = '\n'): string {
  return JSON.stringify(value) + end
}
