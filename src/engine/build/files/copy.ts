/** What COPY and ADD do: each source in its turn into the place it is meant for, in the upper of the stack it is copied onto. */
import { lstatSync } from 'node:fs'
import { posix } from 'node:path'
import { Failure } from '../../../lib/failure.ts'
import type { Owner } from '../../base/copy-node.ts'
import { writeNew } from '../../base/copy-node.ts'
import { type NewFolder, OverlayWriter, type WriteFolder } from '../../base/overlay-writer.ts'
import { unpackLimits } from '../../images/unpack-limits.ts'
import type { CopyRequest, Fetched } from '../copy-request.ts'
import { isArchive, openArchive } from './archive.ts'
import { Copier } from './copier.ts'
import { type Chmod, parseChmod } from './mode.ts'
import { findOwner } from './owner.ts'
import { selection } from './selection.ts'
import { SourceTree } from './source-tree.ts'
import { type FoundSource, findSources, wantedSource } from './sources.ts'
import { Turns } from './turns.ts'
import { type UnpackOptions, unpackArchive } from './unpack-archive.ts'

const root: Owner = { uid: 0, gid: 0 }

/**
 * Writes into `upper` what the step brings; nothing when its wildcards match nothing.
 * @throws Failure `not-found` for a source that is not there, `conflict` for a folder where a file should go or the reverse.
 */
export async function copyFiles(request: CopyRequest): Promise<void> {
  const { step, below, upper, signal } = request
  const chmod = step.chmod === undefined ? undefined : parseChmod(step.chmod)
  const owner = step.chown === undefined ? undefined : findOwner(step.chown, below)
  const made: NewFolder = { owner, mode: chmod?.number === undefined ? 0o755 : chmod.number & 0o755 }
  using writer = new OverlayWriter(below, upper)
  const to: Destination = { writer, path: step.destination, made }
  using context = new SourceTree(request.source)
  const turns = new Turns(signal)
  const copier = (tree: SourceTree, include: string | undefined) =>
    new Copier(tree, writer, { owner, chmod, selection: selection(include, step.exclude), turns })
  for (const [i, source] of step.sources.entries()) {
    const path = typeof source === 'string' ? source : source.kind === 'path' ? source.path : undefined
    if (path === undefined) {
      const unpacks = step.kind === 'add' && step.unpack === true
      await fetched(request.fetched[i]!, async (tree, found) => {
        if (unpacks && (await isArchive(found.entry))) await unpack(found, to, { owner, limits: request.limits, turns })
        else await copySource(found, copier(tree, undefined), to)
      })
      continue
    }
    const wanted = wantedSource(path, step.kind === 'copy' && step.parents)
    const unpacks = step.kind === 'add' && step.unpack !== false
    for (const found of findSources(context, wanted)) {
      if (unpacks && (await isArchive(found.entry))) await unpack(found, to, { owner, limits: request.limits, turns })
      else await copySource(found, copier(context, wanted.include), to)
    }
  }
  for (const { name, content } of step.heredocs) await copyText(name, content, { to, chmod })
}

/** `--chmod` is for what is copied, not for what is unpacked, nor for the folders above it. */
async function unpack(
  { entry }: FoundSource,
  { writer, path, made }: Destination,
  { owner, limits, turns }: { readonly limits: CopyRequest['limits'] } & Pick<UnpackOptions, 'owner' | 'turns'>,
): Promise<void> {
  const place = writer.resolve(path)
  const room = await unpackLimits(`/proc/self/fd/${writer.root.fd}/.`, limits)
  const reader = openArchive(entry, room)
  try {
    const into = writer.makeFolders(place, { ...made, mode: 0o755 })
    await unpackArchive(reader, { writer, into, owner, limits: room, turns })
  } finally {
    await reader.close()
    writer.release(place)
  }
}

/** What was fetched from elsewhere: a file under its name, or the contents of a checkout. */
async function fetched(
  { path, name }: Fetched,
  use: (tree: SourceTree, found: FoundSource) => Promise<void>,
): Promise<void> {
  const isFolder = lstatSync(path).isDirectory()
  using tree = new SourceTree({ layers: [isFolder ? path : posix.dirname(path)], exclude: [] })
  const entry = isFolder ? tree.root : tree.child(tree.root, posix.basename(path))
  if (entry === undefined) throw new Failure('internal', `Cannot copy "${name}": what was fetched is gone`)
  await use(tree, { entry, name, path: name })
}

/** A text of the Dockerfile itself. */
async function copyText(
  name: string,
  content: string,
  { to, chmod }: { readonly to: Destination; readonly chmod: Chmod | undefined },
): Promise<void> {
  // a name is that of a file, as in BuildKit
  if (name.includes('/')) throw new Failure('not-found', `open ${posix.join('/', name)}: no such file or directory`)
  await placed(to, { isFolder: false, name }, async (parent, under) => {
    const before = to.writer.child(parent, under)
    if (before?.kind === 'folder')
      throw new Failure('conflict', `cannot replace to directory ${before.name} with file ${name}`)
    const mode = chmod?.apply(0o644, false) ?? 0o644
    writeNew(to.writer.clear(parent, under), Buffer.from(content), { owner: to.made.owner ?? root, mode })
  })
}

interface Destination {
  readonly writer: OverlayWriter
  /** Absolute. */
  readonly path: string
  /** Of folders that are made on the way: the number of `--chmod` under a umask of 022. */
  readonly made: NewFolder
}

/** One source that was found: a folder's contents, or a file under the destination's name or, in a folder, under its own. */
async function copySource({ entry, name }: FoundSource, copier: Copier, to: Destination): Promise<void> {
  if (entry.kind === 'node')
    await placed(to, { isFolder: false, name }, (parent, under) => copier.node(entry, parent, under))
  else await placed(to, { isFolder: true, name }, folder => copier.contents(entry, folder))
}

/** Makes what has to be above, and hands over the folder to write in and the name to write under. */
async function placed(
  to: Destination,
  { isFolder, name }: { readonly isFolder: boolean; readonly name: string },
  write: (folder: WriteFolder, name: string) => Promise<void>,
): Promise<void> {
  const { writer, made } = to
  ensureParents(to)
  const place = writer.resolve(to.path)
  try {
    const there = place.entries.length === 0 ? writer.root : place.entries.at(-1)
    if (isFolder) {
      if (there?.kind === 'node')
        throw new Failure('conflict', `cannot copy to non-directory: /${place.names.join('/')}`)
      await write(writer.makeFolders(place, made), '')
    } else if (there?.kind === 'folder') await write(there, name)
    else {
      const parents = { names: place.names.slice(0, -1), entries: place.entries.slice(0, -1) }
      const parent = writer.makeFolders(parents, made)
      place.entries.splice(0, parents.entries.length, ...parents.entries)
      await write(parent, place.names.at(-1)!)
    }
  } finally {
    writer.release(place)
  }
}

/** All but the last part of the destination is made; the last one too when it ends in "/". */
function ensureParents({ writer, path, made }: Destination): void {
  const folder = /(?:^|\/)\.?$/.test(path) ? path : posix.dirname(path)
  const place = writer.resolve(folder)
  writer.makeFolders(place, made)
  writer.release(place)
}
