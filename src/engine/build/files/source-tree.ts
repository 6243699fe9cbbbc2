/** The tree that files are taken from: layers or a context, without what its .dockerignore leaves out. */
import type { Stats } from 'node:fs'
import { type PathMatcher, pathMatcher } from '../../../api/ignore-patterns.ts'
import { Failure } from '../../../lib/failure.ts'
import type { HostPath } from '../../../runtime/spec.ts'
import { MergedTree, type TreeFolder, type TreeNode } from '../../base/merged-tree.ts'
import { linkText } from '../../base/tree-tar.ts'
import type { FilesSource } from '../copy-request.ts'

const mostLinks = 40

/** `path` is the way to it inside the tree, without any link: "src/a.ts", "" for the root. */
export type SourceEntry = SourceFolder | SourceNode

export interface SourceFolder {
  readonly kind: 'folder'
  readonly path: string
  readonly stat: Stats
  readonly tree: TreeFolder
  /** For its owner and attributes. */
  readonly at: HostPath
}

export interface SourceNode {
  readonly kind: 'node'
  readonly path: string
  readonly stat: Stats
  readonly at: HostPath
}

/** A file is reached as long as the folders above it are open. */
export interface Resolved {
  readonly entry: SourceEntry
  readonly above: readonly SourceFolder[]
}

export class SourceTree implements Disposable {
  readonly root: SourceFolder
  readonly #tree: MergedTree
  readonly #ignored: PathMatcher | undefined
  /** Folders that are left out, but for something in them that is not. */
  readonly #kept = new Map<string, boolean>()

  /** Of a stage from scratch that has no layer yet. */
  readonly isNothing: boolean

  constructor({ layers, exclude }: FilesSource) {
    this.isNothing = layers.length === 0
    this.#ignored = exclude.length === 0 ? undefined : pathMatcher(exclude)
    this.#tree = new MergedTree(layers)
    this.root = folder('', this.#tree.root)
  }

  /** Undefined when it is not there, or left out. */
  child(parent: SourceFolder, name: string): SourceEntry | undefined {
    const found = this.#tree.child(parent.tree, name)
    if (found === undefined) return undefined
    const entry = entryOf(parent.path === '' ? name : `${parent.path}/${name}`, found)
    if (this.#isShown(entry)) return entry
    this.close(entry)
    return undefined
  }

  /** All that is in a folder, by name; each is let go of when the next one is asked for. */
  *children(parent: SourceFolder): Generator<readonly [name: string, entry: SourceEntry]> {
    for (const name of this.#tree.names(parent.tree)) {
      const entry = this.child(parent, name)
      if (entry === undefined) continue
      yield [name, entry]
      this.close(entry)
    }
  }

  /** Those that are left out as well. */
  allNames(parent: SourceFolder): readonly string[] {
    return this.#tree.names(parent.tree)
  }

  /** What is at a path after following links, all of them inside the tree; to be let go of by `release`. */
  resolve(path: string): Resolved | undefined {
    const above: SourceFolder[] = [this.root]
    const rest = path.split('/')
    for (let links = 0; rest.length > 0; ) {
      const name = rest.shift()!
      if (name === '' || name === '.') continue
      if (name === '..') {
        if (above.length > 1) this.close(above.pop()!)
        continue
      }
      const found = this.child(above.at(-1)!, name)
      if (found?.kind === 'folder') {
        above.push(found)
        continue
      }
      if (found?.stat.isSymbolicLink()) {
        if (++links > mostLinks) throw new Failure('invalid', `Cannot reach "${path}": too many links`)
        const target = linkText(found.at) ?? ''
        if (target.startsWith('/')) for (const left of above.splice(1)) this.close(left)
        rest.unshift(...target.split('/'))
        continue
      }
      if (found !== undefined && rest.every(part => part === '' || part === '.')) return { entry: found, above }
      for (const left of above) this.close(left)
      return undefined
    }
    return { entry: above.at(-1)!, above }
  }

  release({ above }: Resolved): void {
    for (const left of above) this.close(left)
  }

  close(entry: SourceEntry): void {
    if (entry.kind === 'folder' && entry.path !== '') this.#tree.close(entry.tree)
  }

  [Symbol.dispose](): void {
    this.#tree[Symbol.dispose]()
  }

  /** A folder that is left out is there all the same when something in it is not. */
  #isShown(entry: SourceEntry): boolean {
    if (this.#ignored === undefined || !this.#ignored.matches(entry.path)) return true
    if (entry.kind !== 'folder' || !this.#ignored.mayComeBackBelow(entry.path)) return false
    const known = this.#kept.get(entry.path)
    if (known !== undefined) return known
    let shown = false
    for (const _ of this.children(entry)) {
      shown = true
      break
    }
    this.#kept.set(entry.path, shown)
    return shown
  }
}

function entryOf(path: string, found: TreeFolder | TreeNode): SourceEntry {
  return found.kind === 'folder' ? folder(path, found) : { kind: 'node', path, stat: found.stat, at: found.path }
}

function folder(path: string, found: TreeFolder): SourceFolder {
  return { kind: 'folder', path, stat: found.stat, tree: found, at: found.path }
}
