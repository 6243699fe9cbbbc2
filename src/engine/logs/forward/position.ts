/** How far a log has been sent: rewritten in place after each record, so that an engine that is killed forgets at most the last one. */
import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs'
import { z } from 'zod'
import { errnoOf } from '../../../lib/failure.ts'
import type { OpenLines } from './message.ts'

const openLine = z.object({ id: z.string(), pieces: z.number() }).optional()
const schema = z.object({
  version: z.literal(1),
  /** Of the file; it keeps it when it is moved away. */
  inode: z.number(),
  /** Behind the last record that was sent. */
  offset: z.number(),
  /** Of that record: an inode may be another file's by now. */
  time: z.string(),
  open: z.object({ stdout: openLine, stderr: openLine }),
})

export type Position = Omit<z.infer<typeof schema>, 'version' | 'open'> & { readonly open: OpenLines }

/** More than any position takes: one write always covers the one before. */
const size = 512

export class PositionFile {
  readonly #path: string
  #fd: number | undefined

  /** Opened when it is read or written, and made, 0600, when it is written. */
  constructor(path: string) {
    this.#path = path
  }

  /** Undefined when nothing was sent yet. @throws Error when what stands there is no position. */
  read(): Position | undefined {
    try {
      return schema.parse(JSON.parse(readFileSync(this.#path, 'utf8')))
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined
      throw error
    }
  }

  /** @throws Error of the system: the disk is full, say. */
  write(position: Position): void {
    const text = JSON.stringify({ version: 1, ...position })
    this.#fd ??= openSync(this.#path, constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW, 0o600)
    writeSync(this.#fd, text.padEnd(size - 1).concat('\n'), 0)
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }
}

/** The file of the log that the last record sent is in; undefined when nobody can tell. */
export function sentInode(path: string): number | undefined {
  try {
    return new PositionFile(path).read()?.inode
  } catch {
    // damaged: whoever sends tells of that
    return undefined
  }
}
