/** A folder as a builder asks for it: its entries in the order of their names, without what is ignored. (fsutil: walker, filter, followlinks) */
import { type BigIntStats, lstatSync, readdirSync, readlinkSync } from 'node:fs'
import { pathMatcher } from '../../api/ignore-patterns.ts'
import { errnoOf, Failure } from '../../lib/failure.ts'
import { followed } from './follow-links.ts'

/** Paths are relative, with slashes, a byte a character: a file name need not be text. */
export interface WalkedFile {
  readonly path: string
  readonly stat: BigIntStats
  /** Of a symbolic link. */
  readonly target: string | undefined
}

export interface WalkOptions {
  /** Absolute. */
  readonly root: string
  /** Patterns of a .dockerignore. */
  readonly exclude: readonly string[]
  /** Only what these match, and what is below it; none is all. */
  readonly include: readonly string[]
  /** The same by path, and by what symbolic links there lead to. */
  readonly follow: readonly string[]
}

/** The bytes of a name as characters, and back. */
export const bytesOf = (name: string): Buffer => Buffer.from(name, 'latin1')
export const nameOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')
/** As the patterns have it. */
const textOf = (name: string): string => bytesOf(name).toString('utf8')

/** A folder of what is wanted comes before it, though it is excluded itself. @throws Failure of what cannot be read */
export function* walk(options: WalkOptions): Generator<WalkedFile> {
  const root = Buffer.from(options.root)
  const follow = followed(root, options.follow)
  // one of them leads to the folder itself
  const wanted = follow === undefined ? [] : [...options.include, ...follow]
  yield* new Walk(root, options.exclude, wanted).folder('')
}

class Walk {
  readonly #root: Buffer
  readonly #exclude
  readonly #include
  /** Where the included can be, when that can be told without looking. */
  readonly #starts: readonly string[] | undefined
  /** Folders that are only told once something in them is. */
  readonly #held: WalkedFile[] = []

  constructor(root: Buffer, exclude: readonly string[], include: readonly string[]) {
    this.#root = root
    this.#exclude = pathMatcher(exclude)
    this.#include = include.length > 0 ? pathMatcher(include) : undefined
    const starts = include.map(pattern => pattern.replace(/\/\*\*$/, '').replace(/\/\*$/, ''))
    this.#starts = starts.every(start => !/[*[\]?^\\]/.test(start)) ? starts : undefined
  }

  *folder(path: string): Generator<WalkedFile> {
    for (const name of this.#names(path)) {
      const file = this.#look(path === '' ? name : `${path}/${name}`)
      if (file && !file.stat.isSocket()) yield* this.#entry(file)
    }
  }

  *#entry(file: WalkedFile): Generator<WalkedFile> {
    const path = textOf(file.path)
    const isFolder = file.stat.isDirectory()
    const included = this.#include?.matches(path) ?? true
    if (!included && !(isFolder && this.#mayHoldIncluded(path))) return
    const excluded = this.#exclude.matches(path)
    if (excluded && !(isFolder && this.#exclude.mayComeBackBelow(path))) return
    const kept = included && !excluded
    if (kept) {
      yield* this.#held.splice(0)
      yield file
    }
    if (!isFolder) return
    if (!kept) this.#held.push(file)
    yield* this.folder(file.path)
    if (this.#held.at(-1) === file) this.#held.pop()
  }

  #mayHoldIncluded(folder: string): boolean {
    return this.#starts?.some(start => `${start}/`.startsWith(`${folder}/`)) ?? true
  }

  #names(path: string): readonly string[] {
    try {
      return readdirSync(this.#at(path), { encoding: 'latin1' }).sort()
    } catch (error) {
      // it has gone since its name was read
      if (path !== '' && errnoOf(error) === 'ENOENT') return []
      throw unreadable(this.#at(path), error)
    }
  }

  #look(path: string): WalkedFile | undefined {
    const at = this.#at(path)
    try {
      const stat = lstatSync(at, { bigint: true })
      const target = stat.isSymbolicLink() ? readlinkSync(at, { encoding: 'latin1' }) : undefined
      return { path, stat, target }
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined
      throw unreadable(at, error)
    }
  }

  #at(path: string): Buffer {
    return pathBelow(this.#root, path)
  }
}

export function pathBelow(root: Buffer, path: string): Buffer {
  return path === '' ? root : Buffer.concat([root, Buffer.from('/'), bytesOf(path)])
}

export function unreadable(path: Buffer, error: unknown): Failure {
  return new Failure('invalid', `Cannot read "${path}" of the context: ${errnoOf(error) ?? 'it failed'}`, {
    hint: 'Name it in .dockerignore if the build does not need it',
    cause: error,
  })
}
