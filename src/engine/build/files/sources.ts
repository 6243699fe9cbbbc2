/** The sources of COPY and ADD as written → what they name in the tree they are taken from. */
import { posix } from 'node:path'
import { Failure } from '../../../lib/failure.ts'
import type { SourceEntry, SourceFolder, SourceTree } from './source-tree.ts'
import { splitWildcard, wildcardMatcher } from './wildcard.ts'

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
export function* findSources(tree: SourceTree, written: string): Generator<FoundSource> {
  const [plain, pattern] = splitWildcard(posix.normalize(`/${written}`))
  if (pattern === '') return yield* named(tree, `/${plain}`)
  const start = tree.resolve(plain)
  if (start?.entry.kind !== 'folder') throw missing(`/${plain}`)
  const parts = pattern.split('/').map(wildcardMatcher)
  yield* matches(tree, start.entry, { parts, above: `/${plain}` })
  tree.release(start)
}

function* named(tree: SourceTree, path: string): Generator<FoundSource> {
  const found = tree.resolve(path)
  if (found === undefined) throw missing(path)
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
    } else if (entry.stat.isSymbolicLink()) yield* named(tree, path)
    else yield { entry, name, path }
  }
}

function missing(path: string): Failure {
  return new Failure('not-found', `Cannot copy ${JSON.stringify(path)}: not found`, {
    hint: 'Look at its spelling, and at .dockerignore',
  })
}
