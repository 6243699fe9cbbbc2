/** The sources of COPY and ADD as written → what they name in the tree they are taken from. */
import { posix } from 'node:path'
import { Failure } from '../../../lib/failure.ts'
import type { SourceEntry, SourceFolder, SourceTree } from './source-tree.ts'
import { hasWildcard, splitWildcard, wildcardMatcher } from './wildcard.ts'

/** A source as COPY and ADD take it apart: what to look for, and which paths below it come along. */
export interface WantedSource {
  readonly path: string
  /** With `--parents`, the pattern behind "/./" (or all of it); its folders are made in the destination. */
  readonly include: string | undefined
}

export function wantedSource(written: string, parents: boolean): WantedSource {
  if (!parents) return { path: written, include: undefined }
  const pivot = written.indexOf('/./')
  const [path, pattern] = pivot < 0 ? ['/', written] : [written.slice(0, pivot), written.slice(pivot + 3)]
  return { path: path === '' ? '/' : path, include: posix.normalize(`/${pattern}`).replace(/^\/|\/$/g, '') }
}

export interface FoundSource {
  readonly entry: SourceEntry
  /** What it is called: the last part of the path as written, also where that is a link to something else. */
  readonly name: string
  /** "/src/a.ts", for messages. */
  readonly path: string
}

/**
 * In the order of their names; none when a wildcard matches nothing. Links are followed, inside the tree. Each is let go of when the
 * next one is asked for.
 * @throws Failure `not-found` for a path without wildcards that is not there.
 */
export function* findSources(tree: SourceTree, { path, include }: WantedSource): Generator<FoundSource> {
  const [plain, pattern] = splitWildcard(posix.normalize(`/${path}`))
  if (pattern === '' && include !== undefined && !hasWildcard(include))
    mustBeThere(tree, posix.join('/', plain, include))
  if (pattern === '') return yield* findPath(tree, `/${plain}`)
  const start = tree.resolve(plain)
  if (start?.entry.kind !== 'folder') throw missing(tree, `/${plain}`)
  const parts = pattern.split('/').map(wildcardMatcher)
  yield* matches(tree, start.entry, { parts, above: `/${plain}` })
  tree.release(start)
}

function mustBeThere(tree: SourceTree, path: string): void {
  const found = tree.resolve(path)
  if (found === undefined) throw missing(tree, path)
  tree.release(found)
}

/** What is at a path as it is, wildcards being letters. @throws Failure `not-found`. */
export function* findPath(tree: SourceTree, path: string): Generator<FoundSource> {
  const found = tree.resolve(path)
  if (found === undefined) throw missing(tree, path)
  yield { entry: found.entry, name: posix.basename(path), path }
  tree.release(found)
}

interface Wanted {
  readonly parts: readonly RegExp[]
  readonly above: string
}

/** What is below a folder under names that match one by one; links are followed at the end only. */
function* matches(tree: SourceTree, folder: SourceFolder, { parts, above }: Wanted): Generator<FoundSource> {
  for (const [name, entry] of tree.children(folder)) {
    if (!parts[0]!.test(name)) continue
    const path = posix.join(above, name)
    if (parts.length > 1) {
      if (entry.kind === 'folder') yield* matches(tree, entry, { parts: parts.slice(1), above: path })
    } else if (entry.stat.isSymbolicLink()) yield* findPath(tree, path)
    else yield { entry, name, path }
  }
}

function missing({ isNothing }: SourceTree, path: string): Failure {
  // BuildKit's words, which are others where there is nothing at all
  if (isNothing) return new Failure('not-found', `lstat ${path}: no such file or directory`)
  return new Failure('not-found', `Cannot copy ${JSON.stringify(path)}: not found`, {
    hint: 'Look at its spelling, and at .dockerignore',
  })
}
