/** A runtime attachment → the two-way session a client gets, with its detach keys. */
import type { Session } from '../../../api/endpoint.ts'
import type { OutputChunk } from '../../../api/frames.ts'
import { DetachKeys } from '../../../lib/detach-keys.ts'
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
  const keys = options.detachKeys === undefined ? undefined : new DetachKeys(options.detachKeys)
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
      const { pass, detach } = keys?.push(chunk) ?? { pass: chunk, detach: false }
      if (pass.byteLength > 0) await stream.write(pass)
      if (!detach) return
      close()
      options.onDetach?.()
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
