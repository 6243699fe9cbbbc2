/** Files of a stack that a page may see: those beside its stack file and those that it names; a path leads nowhere else, links included. */
import { createHash, randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, isAbsolute, join, relative } from 'node:path'
import { errnoOf, Failure, messageOf } from '../lib/failure.ts'
import type { StackPlace } from './roads.ts'
import type { FileRow, FileText } from './wire.ts'

/** Bytes of a file that is shown. */
const longest = 1024 * 1024
/** Files of a folder that are listed. */
const most = 500
/** Folders that hold what nobody edits. */
const passedOver: ReadonlySet<string> = new Set(['.git', 'node_modules'])

export interface FilesOf {
  readonly place: StackPlace
  /** Files that the stack was read from, absolute. */
  readonly named: readonly string[]
}

/** Of the stack's folder or one in it: folders first; where it is the stack's, files that are named from elsewhere too. */
export function listFiles({ place, named }: FilesOf, folder = place.directory): readonly FileRow[] {
  const at = allowed({ place, named }, folder)
  const rows = readdirSync(at, { withFileTypes: true })
    .filter(entry => !passedOver.has(entry.name) && (entry.isFile() || entry.isDirectory()))
    .slice(0, most)
    .map(entry => rowOf(join(folder, entry.name), place, named))
  const isTop = folder === place.directory
  const elsewhere = isTop
    ? named.filter(path => !isBelow(path, place.directory) && isFile(path)).map(path => rowOf(path, place, named))
    : []
  return [...rows.filter(each => each !== undefined), ...elsewhere.filter(each => each !== undefined)].sort(
    (a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1),
  )
}

/** Folders first, then what the stack is made of. */
function rank({ kind, named }: FileRow): number {
  return named ? 0 : kind === 'folder' ? 1 : 2
}

function rowOf(path: string, { directory }: StackPlace, named: readonly string[]): FileRow | undefined {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (!stat) return undefined
  return {
    path,
    name: isBelow(path, directory) ? relative(directory, path) : path,
    kind: stat.isDirectory() ? 'folder' : 'file',
    bytes: stat.size,
    named: named.includes(path),
  }
}

/** @throws Failure `denied` for a path beside the stack's, `invalid` for what is no text */
export function readText(of: FilesOf, path: string): FileText {
  const at = allowed(of, path)
  const stat = statSync(at)
  if (!stat.isFile()) throw new Failure('invalid', `Cannot show "${path}": it is no file`)
  if (stat.size > longest) throw new Failure('invalid', `Cannot show "${path}": it is larger than 1 MiB`)
  const bytes = readFileSync(at)
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new Failure('invalid', `Cannot show "${path}": it is no text`, { cause })
  }
  if (text.includes('\0')) throw new Failure('invalid', `Cannot show "${path}": it is no text`)
  return { path, text, version: versionOf(bytes) }
}

/**
 * Writes a file whole, in place of the one that had `version`; undefined: a new one.
 * @throws Failure `conflict` when somebody else has changed it since
 */
export function writeText(
  of: FilesOf,
  { path, text }: { path: string; text: string },
  version: string | undefined,
): FileText {
  const exists = isFile(path)
  const at = exists ? allowed(of, path) : join(allowed(of, dirname(path)), basename(path))
  const before = exists ? readFileSync(at) : undefined
  if ((before && versionOf(before)) !== version)
    throw new Failure('conflict', `Cannot save "${path}": it has been changed since it was opened`, {
      hint: 'Open it again, and do your change anew',
    })
  const bytes = Buffer.from(text)
  if (bytes.length > longest) throw new Failure('invalid', `Cannot save "${path}": it would be larger than 1 MiB`)
  const part = join(dirname(at), `.${basename(at)}.${randomBytes(6).toString('hex')}`)
  try {
    writeFileSync(part, bytes, { flag: 'wx', mode: 0o600 })
    if (before) {
      const { mode, uid, gid } = statSync(at)
      chownSync(part, uid, gid)
      chmodSync(part, mode & 0o7777)
    } else chmodSync(part, /(^|\/)\.env[^/]*$/.test(path) ? 0o600 : 0o644)
    renameSync(part, at)
  } catch (cause) {
    rmSync(part, { force: true })
    throw new Failure('denied', `Cannot save "${path}": ${errnoOf(cause) ?? messageOf(cause)}`, { cause })
  }
  return { path, text, version: versionOf(bytes) }
}

/** Its real path, when that is beside the stack's file or named by it. */
function allowed({ place, named }: FilesOf, path: string): string {
  const refused = new Failure('denied', `Cannot use "${path}": it is neither beside the stack's file nor named by it`)
  if (!isAbsolute(path) || path.includes('\0') || path.split('/').includes('..')) throw refused
  let real: string
  let root: string
  try {
    real = realpathSync(path)
    root = realpathSync(place.directory)
  } catch (cause) {
    const errno = errnoOf(cause)
    if (!isBelow(path, place.directory) && !named.includes(path)) throw refused
    throw new Failure('not-found', `Cannot open "${path}": ${errno === 'ENOENT' ? 'it is not there' : errno}`, {
      cause,
    })
  }
  if (isBelow(path, place.directory) && isBelow(real, root)) return real
  if (named.includes(path) && isFile(real)) return real
  throw refused
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`)
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}

function versionOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 24)
}
