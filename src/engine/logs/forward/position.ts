/** How far a log has been sent: rewritten in place after each record, so that an engine that is killed forgets at most the last one. */
import { closeSync, constants, openSync, readFileSync, readSync, writeSync } from 'node:fs'
import { z } from 'zod'
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

/** The file of the log that the last record sent is in; undefined when nobody can tell. */
export function sentInode(path: string): number | undefined {
  try {
    return schema.parse(JSON.parse(readFileSync(path, 'utf8'))).inode
  } catch {
    // nothing sent yet, or damaged: whoever sends tells of that
    return undefined
  }
}

export class PositionFile {
  readonly #fd: number

  /** Opened or made, 0600. @throws Error of the system. */
  constructor(path: string) {
    this.#fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600)
  }

  /** Undefined when nothing was sent yet. @throws Error when what stands there is no position. */
  read(): Position | undefined {
    const bytes = Buffer.alloc(size)
    const length = readSync(this.#fd, bytes, 0, size, 0)
    if (length === 0) return undefined
    return schema.parse(JSON.parse(bytes.toString('utf8', 0, length)))
  }

  write(position: Position): void {
    const text = JSON.stringify({ version: 1, ...position })
    writeSync(this.#fd, text.padEnd(size - 1).concat('\n'), 0)
  }

  close(): void {
    closeSync(this.#fd)
  }
}
