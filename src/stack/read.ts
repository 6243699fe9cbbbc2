/** Bytes of files and standard input to text: UTF-8, and small enough to be a stack. */
import { readFileSync, realpathSync, statSync } from 'node:fs'
import { relative } from 'node:path'
import { errnoOf, Failure } from '../lib/failure.ts'
import type { Source } from './tree.ts'

/** All that loading touches of the file system. */
export interface Files {
  /** The text of a file; `undefined` when there is none. */
  read(path: string): string | undefined
  isFile(path: string): boolean
  isDirectory(path: string): boolean
  /** Links resolved; the path itself when it does not exist. */
  real(path: string): string
}

const isFolder = 'it is a folder'

/** Why there is nothing to read at a path. */
export function whyMissing(path: string, files: Pick<Files, 'isDirectory'>): string {
  return files.isDirectory(path) ? isFolder : 'there is no such file'
}

/** A thousand services need about 400 KiB. */
const maxSize = 16 * 1024 * 1024

export interface Opened {
  /** Told of every path that is looked at. */
  readonly onRead?: ((path: string) => void) | undefined
  /** Read instead of the files of these paths, which need not be there. */
  readonly unsaved?: ReadonlyMap<string, string> | undefined
}

/** The file system of this machine, with standard input under the name "-". */
export function openFiles(stdin: () => Uint8Array | undefined, { onRead, unsaved }: Opened = {}): Files {
  return {
    read(path) {
      onRead?.(path)
      const held = unsaved?.get(path)
      if (held !== undefined) return held
      if (path === '-') return decode(stdin() ?? new Uint8Array(), 'standard input')
      try {
        const stats = statSync(path)
        if (stats.isDirectory()) throw new Failure('invalid', `Cannot read "${path}": ${isFolder}`)
        if (stats.size > maxSize)
          throw new Failure('invalid', `Cannot read "${path}": it is larger than ${maxSize / 1024 / 1024} MiB`)
        return decode(readFileSync(path), path)
      } catch (error) {
        if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined
        if (error instanceof Failure) throw error
        throw new Failure(
          errnoOf(error) === 'EACCES' ? 'denied' : 'invalid',
          `Cannot read "${path}": ${errnoOf(error) ?? 'it failed'}`,
          { cause: error },
        )
      }
    },
    isFile(path) {
      onRead?.(path)
      if (unsaved?.has(path)) return true
      return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
    },
    isDirectory: path => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false,
    real(path) {
      try {
        return realpathSync(path)
      } catch (error) {
        if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR' || errnoOf(error) === 'ELOOP') return path
        throw error
      }
    },
  }
}

/** Reads all of a stream, giving up when it is too large to be a stack. */
export async function readAll(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of stream) {
    size += chunk.length
    if (size > maxSize)
      throw new Failure('invalid', `Cannot read standard input: it is larger than ${maxSize / 1024 / 1024} MiB`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function decode(bytes: Uint8Array, name: string): string {
  if (bytes.length > maxSize)
    throw new Failure('invalid', `Cannot read ${name}: it is larger than ${maxSize / 1024 / 1024} MiB`)
  const encoding =
    bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : 'utf-8'
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes)
  } catch (error) {
    throw new Failure('invalid', `Cannot read "${name}": it is not UTF-8 text`, { cause: error })
  }
}

/** A file as it is shown in problems: below the working directory by its relative path. */
export function shownPath(path: string, cwd: string): string {
  if (path === '-') return '<stdin>'
  const short = relative(cwd, path)
  return short === '' || short.startsWith('../../..') || short.length > path.length ? path : short
}

export function toSource(path: string, text: string, at: { cwd: string; via?: readonly string[] }): Source {
  // A lone carriage return ends a line too; one for one, so that places stay true.
  return { file: shownPath(path, at.cwd), path, text: text.replace(/\r(?!\n)/g, '\n'), via: at.via ?? [] }
}
