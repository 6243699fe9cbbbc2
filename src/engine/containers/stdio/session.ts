/** A runtime attachment → the two-way session a client gets, with its detach keys. */
import type { Session } from '../../../api/endpoint.ts'
import type { OutputChunk } from '../../../api/frames.ts'
import { Failure } from '../../../lib/failure.ts'
import type { Attachment } from '../../../runtime/runtime.ts'

export interface SessionOptions {
  readonly tty: boolean
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  /** "ctrl-p,ctrl-q"; empty: those; undefined: there is no terminal, and no key detaches. */
  readonly detachKeys?: string | undefined
  /** Output before that of the attachment: the log. */
  readonly before?: AsyncIterable<OutputChunk> | undefined
  /** The client has left. */
  readonly onClose?: (() => void) | undefined
  /** By its keys. */
  readonly onDetach?: (() => void) | undefined
}

/** `attachment` may come later: input then waits for it. Undefined means that there will be none. */
export function session(attachment: Promise<Attachment | undefined>, options: SessionOptions): Session {
  const keys = options.detachKeys === undefined ? undefined : new DetachKeys(detachKeys(options.detachKeys))
  const gone = Promise.withResolvers<undefined>()
  let closed = false
  const close = () => {
    if (closed) return
    closed = true
    gone.resolve(undefined)
    options.onClose?.()
    attachment.then(
      stream => stream?.close(),
      () => undefined,
    )
  }
  return {
    tty: options.tty,
    output: output(Promise.race([attachment, gone.promise]), options),
    async write(chunk) {
      const stream = await Promise.race([attachment, gone.promise])
      if (!stream || !options.stdin) return
      const rest = keys ? keys.pass(chunk) : chunk
      if (rest === undefined) {
        close()
        options.onDetach?.()
      } else if (rest.byteLength > 0) await stream.write(rest)
    },
    end() {
      if (!options.stdin) return
      attachment.then(
        stream => stream?.end(),
        // the failure is the reader's of `output`
        () => undefined,
      )
    },
    close,
  }
}

async function* output(
  attachment: Promise<Attachment | undefined>,
  { stdout, stderr, before }: SessionOptions,
): AsyncGenerator<OutputChunk> {
  if (before) yield* before
  const stream = await attachment
  if (!stream) return
  for await (const chunk of stream.output) if (chunk.stream === 'stdout' ? stdout : stderr) yield chunk
}

/** Watches input for a sequence of keys. */
class DetachKeys {
  readonly #keys: readonly number[]
  #matched = 0

  constructor(keys: readonly number[]) {
    this.#keys = keys
  }

  /** What is to be passed on: keys held back so far come with the byte that breaks the sequence. Undefined: detach. */
  pass(chunk: Uint8Array): Uint8Array | undefined {
    const out: number[] = []
    for (const byte of chunk) {
      if (byte === this.#keys[this.#matched]) {
        if (++this.#matched === this.#keys.length) return undefined
        continue
      }
      out.push(...this.#keys.slice(0, this.#matched))
      this.#matched = byte === this.#keys[0] ? 1 : 0
      if (this.#matched === 0) out.push(byte)
    }
    return Uint8Array.from(out)
  }
}

/** "ctrl-x,x" as bytes; none given: ctrl-p, ctrl-q. @throws Failure `invalid` in Docker's words. */
export function detachKeys(text: string): number[] {
  return (text || 'ctrl-p,ctrl-q').split(',').map(key => {
    if (key.length === 1) return key.charCodeAt(0)
    const match = /^ctrl-([a-z@[\\\]^_])$/.exec(key)
    if (!match) throw new Failure('invalid', `Invalid escape keys (${text}) provided`)
    return match[1]!.toUpperCase().charCodeAt(0) & 0x1f
  })
}
