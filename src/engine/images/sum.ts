/** sha256 of what is large, a piece at a time: in a thread, so that the engine answers meanwhile. */
import { createHash } from 'node:crypto'
import { readSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { Failure } from '../../lib/failure.ts'
import type { HostPath } from '../../runtime/spec.ts'
import { unpackedTar } from '../base/unpacked-layer.ts'
import type { Digest } from './digest.ts'

export type SumJob =
  /** The tar that stands for a layer as overlay keeps it. */
  | { readonly kind: 'layer'; readonly root: HostPath }
  /** An open file, from its start. */
  | { readonly kind: 'file'; readonly fd: number }

/** What is smaller is done before a thread has begun. Bytes. */
export const largeSum = 16 * 1024 * 1024

const piece = 1024 * 1024

/** @param isStopped asked between pieces. @throws Failure `cancelled`. */
export async function sumOf(job: SumJob, isStopped: () => boolean): Promise<Digest> {
  const hash = createHash('sha256')
  for await (const data of job.kind === 'layer' ? unpackedTar(job.root) : contentOf(job.fd)) {
    if (isStopped()) throw new Failure('cancelled', 'cancelled')
    hash.update(data)
  }
  return `sha256:${hash.digest('hex')}`
}

async function* contentOf(fd: number): AsyncGenerator<Uint8Array, void, undefined> {
  const buffer = Buffer.allocUnsafeSlow(piece)
  let at = 0
  for (let got = readSync(fd, buffer, 0, piece, at); got > 0; got = readSync(fd, buffer, 0, piece, at)) {
    at += got
    yield buffer.subarray(0, got)
    await turn()
  }
}
