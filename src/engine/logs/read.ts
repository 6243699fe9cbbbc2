/** Reads a container's log: the last lines, since and until, and on as it grows. */
import { watch } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { OutputChunk } from '../../api/frames.ts'
import { errnoOf } from '../../lib/failure.ts'
import { details, type LogRecord, nanoseconds, parseRecord, timestamp } from './records.ts'
import { logFiles } from './rotate.ts'

export interface ReadOptions {
  readonly stdout: boolean
  readonly stderr: boolean
  /** The last so many records; undefined for all. */
  readonly tail?: number | undefined
  /** Nanoseconds since the epoch. */
  readonly since?: bigint | undefined
  readonly until?: bigint | undefined
  readonly timestamps?: boolean | undefined
  /** Before each line, its attributes. */
  readonly details?: boolean | undefined
  /** Resolves when nothing more will be written; undefined: do not follow. */
  readonly follow?: Promise<unknown> | undefined
  readonly signal: AbortSignal
}

const blockSize = 64 * 1024
const newline = 10

/** Output as it was written, a record at a time: clients take a frame for a line. */
export async function* readLog(path: string, options: ReadOptions): AsyncGenerator<OutputChunk> {
  const { signal } = options
  const files = await logFiles(path)
  const from = options.tail === undefined ? undefined : await tailStart(files, options.tail)
  const firstFile = from === undefined ? 0 : files.indexOf(from.file)
  for (let i = firstFile; i < files.length - 1; i++) {
    const file = await openIfThere(files[i]!)
    if (!file) continue
    try {
      const lines = new LineReader(file, i === firstFile ? (from?.offset ?? 0) : 0)
      yield* chunks(lines, options)
    } finally {
      await file.close()
    }
    if (signal.aborted) return
  }
  const offset = from !== undefined && from.file === path ? from.offset : 0
  if (options.follow) yield* follow(path, offset, options, options.follow)
  else {
    const file = await openIfThere(path)
    if (!file) return
    try {
      yield* chunks(new LineReader(file, offset), options)
    } finally {
      await file.close()
    }
  }
}

/** The current file from `offset`, over its rotations, until `ended` and all is read. */
async function* follow(
  path: string,
  offset: number,
  options: ReadOptions,
  ended: Promise<unknown>,
): AsyncGenerator<OutputChunk> {
  const { signal } = options
  let over = false
  let wake = Promise.withResolvers<void>()
  const rouse = () => wake.resolve()
  const end = () => {
    over = true
    rouse()
  }
  ended.then(end, end)
  signal.addEventListener('abort', rouse)
  // The folder: it sees the file written to, moved away by rotation, and made anew.
  const watcher = watch(dirname(path), rouse)
  watcher.on('error', end)
  let file: FileHandle | undefined
  try {
    let lines: LineReader | undefined
    for (;;) {
      if (signal.aborted) return
      // Set before reading: what is written from now on wakes the next round.
      wake = Promise.withResolvers()
      const last = over
      if (last || signal.aborted) rouse()
      if (!file) {
        file = await openIfThere(path)
        if (file) lines = new LineReader(file, offset)
      }
      if (file && lines) {
        yield* chunks(lines, options)
        if (options.until !== undefined && BigInt(Date.now()) * 1_000_000n > options.until) return
        if (await movedAway(file, path)) {
          // What was written between reading to the end and the move.
          yield* chunks(lines, options)
          await file.close()
          file = undefined
          offset = 0
          continue
        }
      }
      if (last) return
      await wake.promise
    }
  } finally {
    watcher.close()
    signal.removeEventListener('abort', rouse)
    await file?.close()
  }
}

async function movedAway(file: FileHandle, path: string): Promise<boolean> {
  try {
    const [own, named] = await Promise.all([file.stat(), stat(path)])
    return own.ino !== named.ino || own.dev !== named.dev
  } catch (error) {
    // between the move and the new file: the watcher tells of the new one
    if (errnoOf(error) === 'ENOENT') return false
    throw error
  }
}

async function* chunks(lines: LineReader, options: ReadOptions): AsyncGenerator<OutputChunk> {
  for (;;) {
    const batch = await lines.next()
    if (!batch) return
    for (const line of batch) {
      const record = parseRecord(line)
      if (!record || !wanted(record, options)) continue
      yield { stream: record.stream, data: Buffer.from(shown(record, options)) }
    }
    if (options.signal.aborted) return
  }
}

function shown(record: LogRecord, options: ReadOptions): string {
  const text = options.details ? `${details(record)} ${record.text}` : record.text
  return options.timestamps ? `${timestamp(record.time)} ${text}` : text
}

function wanted(record: LogRecord, { stdout, stderr, since, until }: ReadOptions): boolean {
  if (record.stream === 'stdout' ? !stdout : !stderr) return false
  if (since === undefined && until === undefined) return true
  const time = nanoseconds(record.time)
  return (since === undefined || time >= since) && (until === undefined || time <= until)
}

/** Whole lines of a file, a block's worth at a time; an unfinished last line waits for its end. */
class LineReader {
  readonly #file: FileHandle
  #offset: number
  #rest: Buffer[] = []
  readonly #block = Buffer.allocUnsafe(blockSize)

  constructor(file: FileHandle, offset: number) {
    this.#file = file
    this.#offset = offset
  }

  /** Undefined at the end of what is there now; more may be written later. */
  async next(): Promise<string[] | undefined> {
    for (;;) {
      const { bytesRead } = await this.#file.read(this.#block, 0, blockSize, this.#offset)
      if (bytesRead === 0) return undefined
      this.#offset += bytesRead
      const piece = this.#block.subarray(0, bytesRead)
      const last = piece.lastIndexOf(newline)
      if (last < 0) {
        this.#rest.push(Buffer.from(piece))
        continue
      }
      const whole = Buffer.concat([...this.#rest, piece.subarray(0, last)]).toString('utf8')
      this.#rest = last + 1 < bytesRead ? [Buffer.from(piece.subarray(last + 1))] : []
      return whole.split('\n')
    }
  }
}

/** Where the last `count` records begin; read from the end, so that the size of the log does not matter. */
async function tailStart(
  files: readonly string[],
  count: number,
): Promise<{ file: string; offset: number } | undefined> {
  let missing = count
  for (const path of files.toReversed()) {
    const file = await openIfThere(path)
    if (!file) continue
    try {
      const { size } = await file.stat()
      if (missing === 0) return { file: path, offset: size }
      const found = await linesFromEnd(file, size, missing)
      if (found.offset !== undefined) return { file: path, offset: found.offset }
      missing -= found.lines
    } finally {
      await file.close()
    }
  }
  return undefined
}

/** The offset of the `count`th line from the end, or how many lines there are when they are fewer. */
async function linesFromEnd(
  file: FileHandle,
  size: number,
  count: number,
): Promise<{ offset: number | undefined; lines: number }> {
  const block = Buffer.allocUnsafe(blockSize)
  let lines = 0
  let end = size
  while (end > 0) {
    const start = Math.max(0, end - blockSize)
    const { bytesRead } = await file.read(block, 0, end - start, start)
    for (let i = bytesRead - 1; i >= 0; i--) {
      if (block[i] !== newline) continue
      // A newline ends the line before it: the nth from the end starts after the (n+1)th newline.
      if (lines === count) return { offset: start + i + 1, lines }
      lines++
    }
    end = start
  }
  return { offset: undefined, lines }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}
