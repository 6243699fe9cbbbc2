/** Trees as words, for tests of COPY and ADD: "d/" a folder, "-> x" a link, null a whiteout; and back again. */
import {
  chmodSync,
  chownSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { isOpaque, isWhiteout } from '../../../../src/engine/base/layer-marks.ts'
import { MergedTree, type TreeFolder } from '../../../../src/engine/base/merged-tree.ts'
import type { CopyRequest } from '../../../../src/engine/build/copy-request.ts'
import type { AddStep, CopyStep } from '../../../../src/engine/build/dockerfile/plan.ts'
import { copyFiles } from '../../../../src/engine/build/files/copy.ts'
import { makeNode } from '../../../../src/runtime/native.ts'
import { temporaryFolder } from '../../../support/temporary-paths.ts'

/** Path → content; `[content, mode, owner]` where those matter ("0644", "5:6"). */
export type Tree = Readonly<Record<string, string | null | readonly [content: string, mode: string, owner?: string]>>

export function folderOf(t: TestContext, tree: Tree, below?: string): string {
  const place = temporaryFolder(t, below)
  chmodSync(place, 0o755)
  for (const [name, value] of Object.entries(tree)) {
    const [content, mode, owner] = typeof value === 'string' || value === null ? [value] : value
    const path = join(place, name)
    mkdirSync(name.endsWith('/') ? path : dirname(path), { recursive: true })
    if (content === null) makeNode(path, 'character-device', 0, 0)
    else if (content.startsWith('-> ')) symlinkSync(content.slice(3), path)
    else if (content === 'fifo') makeNode(path, 'fifo')
    else if (!name.endsWith('/')) writeFileSync(path, content)
    if (owner !== undefined) {
      const [uid, gid] = owner.split(':').map(Number)
      lchownSync(path, uid!, gid!)
    }
    if (mode !== undefined) chmodSync(path, Number.parseInt(mode, 8))
  }
  return place
}

/** Each path of a stack as "mode owner content"; what it was before is left out when it is the same. */
export function shown(layers: readonly string[], before: readonly string[] = []): Record<string, string> {
  const all = layers.length === 0 ? new Map<string, string>() : listed(layers)
  const old = before.length === 0 ? new Map<string, string>() : listed(before)
  const changed = [...all].filter(([path, text]) => old.get(path) !== text)
  const gone = [...old.keys()].filter(path => !all.has(path)).map(path => [path, 'gone'] as const)
  return Object.fromEntries([...changed, ...gone].sort(([a], [b]) => (a < b ? -1 : 1)))
}

function listed(layers: readonly string[]): Map<string, string> {
  using tree = new MergedTree(layers)
  const found = new Map<string, string>()
  const walk = (folder: TreeFolder, above: string) => {
    for (const name of tree.names(folder)) {
      const entry = tree.child(folder, name)!
      const { stat } = entry
      const owner = stat.uid === 0 && stat.gid === 0 ? '' : ` ${stat.uid}:${stat.gid}`
      const mode = (stat.mode & 0o7777).toString(8)
      const path = `${above}/${name}`
      if (entry.kind === 'folder') {
        found.set(`${path}/`, `${mode}${owner}`)
        walk(entry, path)
      } else if (stat.isSymbolicLink()) found.set(path, `-> ${readlinkSync(entry.path)}${owner}`)
      else if (stat.isFile()) found.set(path, `${mode}${owner} ${readFileSync(entry.path, 'utf8')}`)
      else found.set(path, `${mode}${owner} ${stat.isFIFO() ? 'fifo' : stat.isSocket() ? 'socket' : 'device'}`)
    }
  }
  walk(tree.root, '')
  return found
}

/** What really lies in one layer, with the marks of overlay: "whiteout", "opaque". */
export function marks(layer: string): Record<string, string> {
  const found: Record<string, string> = {}
  for (const entry of readdirSync(layer, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (isWhiteout(lstatSync(path))) found[path.slice(layer.length)] = 'whiteout'
    else if (entry.isDirectory() && isOpaque(`${path}/.`)) found[path.slice(layer.length)] = 'opaque'
  }
  return found
}

export function copyStep(sources: readonly string[], destination: string, more: Partial<CopyStep> = {}): CopyStep {
  return {
    kind: 'copy',
    label: 'COPY',
    lines: { first: 1, last: 1 },
    createdBy: 'COPY',
    from: { kind: 'context', name: 'context' },
    sources,
    destination,
    chown: undefined,
    chmod: undefined,
    link: false,
    exclude: [],
    heredocs: [],
    cwd: '/',
    parents: false,
    ...more,
  }
}

export function addStep(paths: readonly string[], destination: string, more: Partial<AddStep> = {}): AddStep {
  const { parents: _, from: _from, ...common } = copyStep([], destination)
  const sources = paths.map(path => ({ kind: 'path', path }) as const)
  return { ...common, kind: 'add', sources, unpack: undefined, ...more }
}

export interface Copied {
  /** What the step changed, as `shown` tells it. */
  readonly changes: Record<string, string>
  readonly upper: string
  readonly layers: readonly string[]
}

export interface CopyWorld {
  readonly context: Tree | readonly string[]
  readonly base?: Tree | readonly string[]
  readonly ignore?: readonly string[]
  readonly limits?: CopyRequest['limits']
  readonly fetched?: CopyRequest['fetched']
  /** Below which the step writes, if not where temporary files are. */
  readonly place?: string
}

/** Runs one step over a base; both may be trees or layers that are there. */
export async function copied(t: TestContext, step: CopyStep | AddStep, world: CopyWorld): Promise<Copied> {
  const layersOf = (tree: Tree | readonly string[]) =>
    Array.isArray(tree) ? (tree as readonly string[]) : [folderOf(t, tree as Tree)]
  const below = world.base === undefined ? [] : layersOf(world.base)
  const upper = folderOf(t, {}, world.place)
  chownSync(upper, 0, 0)
  await copyFiles({
    step,
    source: { layers: layersOf(world.context), exclude: world.ignore ?? [] },
    fetched: world.fetched ?? [],
    limits: world.limits,
    below,
    upper,
    signal: new AbortController().signal,
  })
  const layers = [...below, upper]
  return { changes: shown(layers, below), upper, layers }
}
