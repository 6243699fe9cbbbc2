/**
 * A thread that unpacks layers: bytes come as messages, are digested and kept as they are, decompressed, digested again, and written to
 * a folder. Nothing here decides whether they are the right ones; what it finds is told, and used or thrown away by the engine.
 */
import { createHash, type Hash } from 'node:crypto'
import { closeSync, openSync, writeSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import { Failure, isFailure, messageOf } from '../../lib/failure.ts'
import { decompressed } from './compression.ts'
import type { Digest } from './digest.ts'
import { sumOf } from './sum.ts'
import { unpack } from './unpack.ts'
import type { BlobTold, FromThread, ToThread, UnpackFailure, UnpackJob, UnpackResult } from './unpack-job.ts'
import { withinRatio } from './unpack-limits.ts'

/** So much is read after a failure, to tell damage on the way from an archive that is bad. */
const readOn = 64 * 1024 * 1024

const port = parentPort!

/** The bytes of one job as they arrive. */
class Inbox {
  readonly #chunks: Uint8Array[] = []
  #state: 'open' | 'end' | 'abort' = 'open'
  #wake: (() => void) | undefined

  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk)
    this.#wake?.()
  }

  get isAborted(): boolean {
    return this.#state === 'abort'
  }

  close(state: 'end' | 'abort'): void {
    this.#state = state
    this.#wake?.()
  }

  /** Undefined at the end. @throws Failure `cancelled` when the sender has given up. */
  async next(): Promise<Uint8Array | undefined> {
    for (;;) {
      if (this.#state === 'abort') throw new Failure('cancelled', 'cancelled')
      const chunk = this.#chunks.shift()
      if (chunk !== undefined) return chunk
      if (this.#state === 'end') return undefined
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
      this.#wake = undefined
    }
  }
}

/** The bytes on their way through: digested, counted, kept. */
class Passage {
  readonly #inbox: Inbox
  readonly #hash = createHash('sha256')
  readonly #file: number | undefined
  size = 0

  constructor(inbox: Inbox, keep: string | undefined) {
    this.#inbox = inbox
    this.#file = keep === undefined ? undefined : openSync(keep, 'wx', 0o600)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    for (let chunk = await this.#take(); chunk !== undefined; chunk = await this.#take()) yield chunk
  }

  /** Reads on to the end, or until that is not worth it. */
  async finish(most = Number.POSITIVE_INFINITY): Promise<BlobTold | undefined> {
    const from = this.size
    while (this.size - from <= most) if ((await this.#take()) === undefined) return this.#told()
    return undefined
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file)
  }

  async #take(): Promise<Uint8Array | undefined> {
    const chunk = await this.#inbox.next()
    if (chunk === undefined) return undefined
    this.size += chunk.length
    this.#hash.update(chunk)
    if (this.#file !== undefined) for (let done = 0; done < chunk.length; ) done += writeSync(this.#file, chunk, done)
    tell({ kind: 'taken', bytes: chunk.length })
    return chunk
  }

  #told(): BlobTold {
    return { digest: sha256(this.#hash), size: this.size }
  }
}

async function work({ root, limits, keep }: UnpackJob, inbox: Inbox): Promise<UnpackResult> {
  const passage = new Passage(inbox, keep)
  try {
    const hash = createHash('sha256')
    try {
      const plain = withinRatio(decompressed(passage), { size: () => passage.size, ratio: limits.ratio })
      const unpacked = await unpack(hashed(plain, hash), root, limits)
      const blob = (await passage.finish())!
      return { ...unpacked, diffId: sha256(hash), blob }
    } catch (error) {
      if (isFailure(error, 'cancelled')) throw error
      throw Object.assign(asFailure(error), { blob: await passage.finish(readOn) })
    }
  } finally {
    passage.close()
  }
}

async function* hashed(plain: AsyncIterable<Uint8Array>, hash: Hash): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of plain) {
    hash.update(chunk)
    yield chunk
  }
}

function sha256(hash: Hash): Digest {
  return `sha256:${hash.digest('hex')}`
}

function asFailure(error: unknown): Failure {
  return isFailure(error) ? error : new Failure('internal', messageOf(error), { cause: error })
}

function tell(message: FromThread): void {
  port.postMessage(message)
}

/** Works as what the thread is for. */
export function start(): void {
  let inbox = new Inbox()
  const failed = (error: Error & { blob?: BlobTold }) => {
    const { kind, message: text, hint } = asFailure(error)
    const failure: UnpackFailure = { kind, message: text, hint, blob: error.blob }
    tell({ kind: 'failed', failure })
  }
  port.on('message', (message: ToThread) => {
    if (message.kind === 'chunk') return inbox.push(message.data)
    if (message.kind === 'sum') {
      const own = new Inbox()
      inbox = own
      sumOf(message.job, () => own.isAborted).then(digest => tell({ kind: 'summed', digest }), failed)
      return
    }
    if (message.kind !== 'job') return inbox.close(message.kind)
    inbox = new Inbox()
    work(message.job, inbox).then(result => tell({ kind: 'done', result }), failed)
  })
}
