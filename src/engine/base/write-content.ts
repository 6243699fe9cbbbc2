/** An archive's entry to a new file; long runs of zeros become holes, as they most likely were. */
import { ftruncateSync, writeSync } from 'node:fs'
import type { TarReader } from './tar-reader.ts'
import { zero } from './tar-sparse.ts'

/** A file that is no longer than this is written as it is. */
const small = zero.length

export async function writeContent(fd: number, size: number, reader: TarReader): Promise<void> {
  const whole = size <= small ? reader.bodyAtHand() : undefined
  if (whole !== undefined) return void writeAll(fd, whole, 0)
  let at = 0
  let written = 0
  for await (const piece of reader.body()) {
    for (let from = 0; from < piece.length; from += zero.length) {
      const part = piece.subarray(from, from + zero.length)
      if (part.length < 4096 || !part.equals(zero.subarray(0, part.length))) {
        writeAll(fd, part, at)
        written = at + part.length
      }
      at += part.length
    }
  }
  if (written < at) ftruncateSync(fd, at)
}

function writeAll(fd: number, data: Buffer, position: number): void {
  for (let done = 0; done < data.length; ) done += writeSync(fd, data, done, data.length - done, position + done)
}
