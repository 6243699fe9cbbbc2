/** Documents on disk that a reader sees whole or not at all: written aside, renamed into place, for their owner only. */
import {
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { errnoOf, Failure, messageOf } from '../lib/failure.ts'

let serial = 0

/**
 * Writes `text`, 0600, in a folder that is made when it is not there, 0700.
 * @throws Failure `internal` that names the path.
 */
export function writeDocument(path: string, text: string): void {
  aside(path, text, temporary => renameSync(temporary, path))
}

/** As `writeDocument`, but false and nothing written when there is one of that name. */
export function createDocument(path: string, text: string): boolean {
  let made = true
  aside(path, text, temporary => {
    try {
      linkSync(temporary, path)
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error
      made = false
    }
    rmSync(temporary)
  })
  return made
}

/** At once and not by promises: tens of microseconds, where a thread that must be woken takes more. */
function aside(path: string, text: string, place: (temporary: string) => void): void {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.${++serial}`)
  let written = false
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    writeFileSync(temporary, text, { flag: 'wx', mode: 0o600 })
    written = true
    place(temporary)
  } catch (cause) {
    if (written || errnoOf(cause) === 'ENOSPC') rmSync(temporary, { force: true })
    throw new Failure('internal', `Cannot write "${path}": ${errnoOf(cause) ?? messageOf(cause)}`, { cause })
  }
}

/** The first `length` bytes of the document at `path`, as text; undefined when there is none. @throws Failure `internal` */
export function readBeginning(path: string, length: number): string | undefined {
  let file: number | undefined
  try {
    file = openSync(path, 'r')
    const bytes = Buffer.alloc(length)
    return bytes.toString('utf8', 0, readSync(file, bytes, 0, length, 0))
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined
    throw new Failure('internal', `Cannot read "${path}": ${errnoOf(cause) ?? messageOf(cause)}`, { cause })
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

export type Members = Readonly<Record<string, unknown>>

/**
 * The members of the JSON document at `path`; undefined when there is none.
 * @throws Failure `internal` when it is damaged, `unsupported` when its `version` is another than `version`.
 */
export function readDocument(path: string, version: number): Members | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined
    throw new Failure('internal', `Cannot read "${path}": ${errnoOf(cause) ?? messageOf(cause)}`, { cause })
  }
  let data: unknown
  try {
    data = JSON.parse(text)
  } catch (cause) {
    throw new Failure('internal', `Cannot read "${path}": it is not whole`, { cause })
  }
  if (typeof data !== 'object' || data === null || Array.isArray(data))
    throw new Failure('internal', `Cannot read "${path}": it is no document`)
  const members = data as Members
  if (members['version'] !== version)
    throw new Failure(
      'unsupported',
      `Cannot read "${path}": its version is ${JSON.stringify(members['version']) ?? 'missing'}, ${version} is known`,
    )
  return members
}
