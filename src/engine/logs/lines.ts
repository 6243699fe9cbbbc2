/** The lines of one file of a log, plain or compressed, a block's worth at a time, and where the last of them begin. */
import type { FileHandle } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { errnoOf } from '../../lib/failure.ts'
import type { OpenFile } from './open-files.ts'

export interface Lines {
  /** Some of them, the last without its newline, in memory of their own; undefined at the end of what is there. An unfinished last line is none. */
  next(): Promise<Buffer | undefined>
}

/** Where to begin in a file: behind so many bytes of a plain one, or so many lines of a compressed one. */
export type Start = number

const blockSize = 256 * 1024
/** From the end, where little is wanted most of the time. */
const tailSize = 64 * 1024
export const newline = 10

export function linesOf({ handle, compressed }: OpenFile, start: Start): Lines {
  const blocks = compressed ? unpacked(handle) : plainBlocks(handle, start)
  const lines = wholeLines(blocks, compressed ? start : 0)
  return {
    next: async () => {
      const { value, done } = await lines.next()
      return done ? undefined : value
    },
  }
}

/** Where the last `count` lines of a file begin, or how many lines there are when they are fewer. */
export async function startOfLast(file: OpenFile, count: number): Promise<{ start: Start } | { lines: number }> {
  if (!file.compressed) return lastOfPlain(file.handle, count)
  let lines = 0
  for await (const block of unpacked(file.handle)) lines += newlines(block)
  return lines >= count ? { start: lines - count } : { lines }
}

/** Each is the same memory: to be used before the next one is asked for. */
async function* plainBlocks(handle: FileHandle, start: number): AsyncGenerator<Buffer> {
  const block = Buffer.allocUnsafe(blockSize)
  for (let at = start; ; ) {
    const { bytesRead } = await handle.read(block, 0, blockSize, at)
    if (bytesRead === 0) return
    at += bytesRead
    yield block.subarray(0, bytesRead)
  }
}

/** All bytes of a file, which stays open. */
export function contentOf(handle: FileHandle): Readable {
  return Readable.from(
    (async function* () {
      for await (const block of plainBlocks(handle, 0)) yield Buffer.from(block)
    })(),
  )
}

/** What is damaged ends where the damage begins: the files after it are readable all the same. */
async function* unpacked(handle: FileHandle): AsyncGenerator<Buffer> {
  const gunzip = createGunzip()
  const source = contentOf(handle)
  source.on('error', error => gunzip.destroy(error))
  source.pipe(gunzip)
  try {
    for await (const block of gunzip) yield block as Buffer
  } catch (error) {
    if (!errnoOf(error)?.startsWith('Z_')) throw error
  } finally {
    source.unpipe(gunzip)
    source.destroy()
    gunzip.destroy()
  }
}

async function* wholeLines(blocks: AsyncIterable<Buffer>, skip: number): AsyncGenerator<Buffer> {
  let rest: Buffer[] = []
  let left = skip
  for await (const block of blocks) {
    const last = block.lastIndexOf(newline)
    if (last < 0) {
      rest.push(Buffer.from(block))
      continue
    }
    const lines = Buffer.concat([...rest, block.subarray(0, last)])
    rest = last + 1 < block.length ? [Buffer.from(block.subarray(last + 1))] : []
    let from = 0
    for (; left > 0 && from <= lines.length; left--) {
      const end = lines.indexOf(newline, from)
      from = end < 0 ? lines.length + 1 : end + 1
    }
    if (from < lines.length) yield lines.subarray(from)
  }
}

function newlines(block: Buffer): number {
  let count = 0
  for (let at = block.indexOf(newline); at >= 0; at = block.indexOf(newline, at + 1)) count++
  return count
}

/** Read from the end, so that the size of the log does not matter. */
async function lastOfPlain(handle: FileHandle, count: number): Promise<{ start: Start } | { lines: number }> {
  const block = Buffer.allocUnsafe(tailSize)
  let lines = 0
  let end = (await handle.stat()).size
  if (count === 0) return { start: end }
  while (end > 0) {
    const from = Math.max(0, end - tailSize)
    const { bytesRead } = await handle.read(block, 0, end - from, from)
    for (let i = bytesRead - 1; i >= 0; i--) {
      if (block[i] !== newline) continue
      // A newline ends the line before it: the nth from the end starts after the (n+1)th newline.
      if (lines === count) return { start: from + i + 1 }
      lines++
    }
    end = from
  }
  return lines === count ? { start: 0 } : { lines }
}
