/** Records of a log from a place in it on, over rotations and as it grows; nobody who writes it waits for us. */
import { watch } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { closeAll, inodeOf, type OpenFile, openLogFiles } from './open-files.ts'
import { type LogRecord, parseRecord } from './records.ts'

/** A place between two records. */
export interface Place {
  readonly inode: number
  readonly offset: number
  /** Of the record before it. */
  readonly time: string
}

export interface Followed {
  readonly record: LogRecord
  /** Behind it. */
  readonly place: Place
}

export interface FollowOptions {
  /** Undefined: the beginning. */
  readonly start?: Place | undefined
  /** A file of the log that is open already, and where in it to begin; it is the follower's to close. */
  readonly from?: { readonly file: OpenFile; readonly offset: number } | undefined
  /** Records were rotated away before they were read. */
  readonly onLost: () => void
}

const blockSize = 64 * 1024
/** More than the longest record that has no attributes. */
const longestRecord = 256 * 1024
const newline = 10
/** A watch that is lost, or that the system does not grant, costs no more than this, in milliseconds. */
const patience = 1000

export class LogFollower {
  readonly #path: string
  readonly #options: FollowOptions
  readonly #block = Buffer.allocUnsafe(blockSize)
  /** The one that is read; kept open when it is finished, so that its inode becomes no other file. */
  #file: OpenFile | undefined
  /** Nothing more will be written to it. */
  #finished = false
  /** Of the first byte that is not read yet, and of the first whose line is not whole yet. */
  #read = 0
  #whole = 0
  #rest: Buffer[] = []

  constructor(path: string, options: FollowOptions) {
    this.#path = path
    this.#options = options
    if (!options.from) return
    this.#file = options.from.file
    this.#begin(options.from.offset)
  }

  /** The next records, a block's worth at most; undefined when there are no more now. */
  async next(): Promise<readonly Followed[] | undefined> {
    for (;;) {
      if ((!this.#file || this.#finished) && !(await this.#open())) return undefined
      const records = await this.#readBlock()
      if (records) return records
      if (!(await this.#movedAway())) return undefined
      // what was written between reading to the end and the move
      const last = await this.#readBlock()
      if (last) return last
      this.#finished = true
    }
  }

  /** Until there may be more, or `signal` says that nobody waits. */
  async more(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, patience)
    const stop = () => resolve()
    signal.addEventListener('abort', stop)
    const watcher = this.#watch(resolve)
    try {
      // set before looking: what is written from now on is told
      if (!signal.aborted && !(await this.#hasMore())) await promise
    } finally {
      signal.removeEventListener('abort', stop)
      clearTimeout(timer)
      watcher?.close()
    }
  }

  /** Of the file that it is at; undefined before the first. */
  get inode(): number | undefined {
    return this.#file?.inode
  }

  async close(): Promise<void> {
    await this.#file?.handle.close()
    this.#file = undefined
  }

  #watch(tell: () => void) {
    try {
      const watcher = watch(dirname(this.#path), tell)
      watcher.on('error', tell)
      return watcher
    } catch {
      // no folder, or no watch to be had: the timer wakes us
      return undefined
    }
  }

  async #hasMore(): Promise<boolean> {
    if (!this.#file || this.#finished) return this.#open()
    return (await this.#file.handle.stat()).size !== this.#read || this.#movedAway()
  }

  /** The file to begin with, or the one after that which is finished; false when it is not there yet. */
  async #open(): Promise<boolean> {
    // what is compressed has been passed: whoever compresses asks where we are
    const [files, passed] = await openPlain(this.#path)
    await closeAll(passed)
    const chosen = this.#file ? this.#after(files, this.#file.inode) : await this.#first(files)
    await closeAll(files.filter(file => file !== chosen?.file))
    if (!chosen) return false
    await this.close()
    this.#file = chosen.file
    this.#finished = false
    this.#begin(chosen.offset)
    return true
  }

  #begin(offset: number): void {
    this.#read = offset
    this.#whole = offset
    this.#rest = []
  }

  #after(files: readonly OpenFile[], inode: number): { file: OpenFile; offset: number } | undefined {
    const at = files.findIndex(file => file.inode === inode)
    const file = files[at + 1]
    if (file && at < 0) this.#options.onLost()
    return file && { file, offset: 0 }
  }

  async #first(files: readonly OpenFile[]): Promise<{ file: OpenFile; offset: number } | undefined> {
    const { start, onLost } = this.#options
    const [oldest] = files
    if (!oldest) return undefined
    if (!start) return { file: oldest, offset: 0 }
    const file = files.find(({ inode }) => inode === start.inode)
    if (file && (await endsRecord(file.handle, start))) return { file, offset: start.offset }
    onLost()
    return { file: oldest, offset: 0 }
  }

  async #readBlock(): Promise<readonly Followed[] | undefined> {
    for (;;) {
      const { bytesRead } = await this.#file!.handle.read(this.#block, 0, blockSize, this.#read)
      if (bytesRead === 0) {
        await this.#shrunk()
        return undefined
      }
      this.#read += bytesRead
      const piece = Buffer.from(this.#block.subarray(0, bytesRead))
      const last = piece.lastIndexOf(newline)
      if (last < 0) {
        this.#rest.push(piece)
        continue
      }
      const whole = Buffer.concat([...this.#rest, piece.subarray(0, last + 1)])
      this.#rest = last + 1 < bytesRead ? [piece.subarray(last + 1)] : []
      const records = this.#records(whole)
      if (records.length > 0) return records
    }
  }

  #records(whole: Buffer): readonly Followed[] {
    const { inode } = this.#file!
    const records: Followed[] = []
    for (let at = 0; at < whole.length; ) {
      const end = whole.indexOf(newline, at) + 1
      const record = parseRecord(whole.toString('utf8', at, end))
      this.#whole += end - at
      if (record) records.push({ record, place: { inode, offset: this.#whole, time: record.time } })
      at = end
    }
    return records
  }

  /** A full disk took half a record, which was cut away again; or the only file of a log began anew. */
  async #shrunk(): Promise<void> {
    const { size } = await this.#file!.handle.stat()
    if (size < this.#read) this.#begin(size >= this.#whole ? this.#whole : 0)
  }

  async #movedAway(): Promise<boolean> {
    const inode = await inodeOf(this.#path)
    // none: between the move and the new file, or a log that was removed
    return inode !== undefined && inode !== this.#file!.inode
  }
}

async function openPlain(path: string): Promise<[plain: OpenFile[], compressed: OpenFile[]]> {
  const files = await openLogFiles(path)
  return [files.filter(file => !file.compressed), files.filter(file => file.compressed)]
}

/** Whether the record before `place` is the one it names: an inode may be another file's by now. */
async function endsRecord(file: FileHandle, { offset, time }: Place): Promise<boolean> {
  const start = Math.max(0, offset - longestRecord)
  const bytes = Buffer.alloc(offset - start)
  const { bytesRead } = await file.read(bytes, 0, bytes.length, start)
  if (bytesRead < bytes.length || bytes.at(-1) !== newline) return false
  const line = bytes.toString('utf8', bytes.lastIndexOf(newline, -2) + 1)
  return parseRecord(line)?.time === time
}
