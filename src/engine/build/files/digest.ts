/**
 * What a step's files are, for the cache: type, mode, owner, content, target and attributes, never a time. What the step sets anew
 * (`--chown`, `--chmod`) is left out, so that a builder's umask is no miss under `--chmod`.
 */
import { createHash, hash } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs'
import { Failure } from '../../../lib/failure.ts'
import { bytesOfName, fsPath } from '../../../lib/file-name.ts'
import type { HostPath } from '../../../runtime/spec.ts'
import { readImageXattrs } from '../../base/image-xattrs.ts'
import { deviceNumbers, linkText } from '../../base/tree-tar.ts'
import { type Digest, hexOf } from '../../images/digest.ts'
import { largeSum } from '../../images/sum.ts'
import type { Fetched, FilesDigest, FilesSource } from '../copy-request.ts'
import type { AddStep, CopyStep } from '../dockerfile/plan.ts'
import type { DigestMemory, KnownFile } from './digest-memory.ts'
import { type Chmod, parseChmod } from './mode.ts'
import { type Selection, selection } from './selection.ts'
import { type SourceEntry, SourceTree } from './source-tree.ts'
import { findPath, findSources, wantedSource } from './sources.ts'
import { Turns } from './turns.ts'

export interface DigestRequest {
  readonly step: CopyStep | AddStep
  readonly source: FilesSource
  readonly fetched: readonly (Fetched | undefined)[]
  readonly memory: DigestMemory
  /** sha256 of an open file that is large, beside this thread; without it here. */
  readonly sumLarge?: ((fd: number, signal: AbortSignal) => Promise<Digest>) | undefined
  readonly signal: AbortSignal
}

/** Paths told one by one; with more of them a miss cannot say which file changed. */
const mostEntries = 20_000

/** @throws Failure `not-found` for a source that is not there. */
export async function filesDigest(request: DigestRequest): Promise<FilesDigest> {
  const { step } = request
  using tree = new SourceTree(request.source)
  const chmod = step.chmod === undefined ? undefined : parseChmod(step.chmod)
  const sum = new Sum({ tree, chmod, owned: step.chown !== undefined, ...request })
  for (const [i, source] of step.sources.entries()) {
    const path = typeof source === 'string' ? source : source.kind === 'path' ? source.path : undefined
    if (path === undefined) {
      sum.put(request.fetched[i]!.name, request.fetched[i]!.digest)
      continue
    }
    const wanted = wantedSource(path, step.kind === 'copy' && step.parents)
    sum.start(path)
    for (const found of findSources(tree, wanted))
      await sum.source(found.path, found.entry, selection(wanted.include, step.exclude))
  }
  for (const { name, content } of step.heredocs) sum.put(`<<${name}`, hash('sha256', content))
  return sum.end()
}

/** Of one path of a tree and all below it, as `RUN --mount=type=bind` shows it. @throws Failure `not-found`. */
export async function treeDigest(
  path: string,
  request: Pick<DigestRequest, 'source' | 'memory' | 'sumLarge' | 'signal'>,
): Promise<FilesDigest> {
  using tree = new SourceTree(request.source)
  const sum = new Sum({ tree, chmod: undefined, owned: false, ...request })
  for (const found of findPath(tree, path)) await sum.source(found.path, found.entry, selection(undefined, []))
  return sum.end()
}

interface SumOptions extends Pick<DigestRequest, 'memory' | 'sumLarge' | 'signal'> {
  readonly tree: SourceTree
  readonly chmod: Chmod | undefined
  /** Whose they are is set by the step. */
  readonly owned: boolean
}

class Sum {
  readonly #options: SumOptions
  readonly #whole = createHash('sha256')
  readonly #turns: Turns
  #entries: Map<string, string> | undefined = new Map()

  constructor(options: SumOptions) {
    this.#options = options
    this.#turns = new Turns(options.signal)
  }

  /** What comes next belongs to this source: the same files in another order of sources are another step. */
  start(source: string): void {
    this.#whole.update(`\n${source}\n`)
  }

  /** The folder that is copied is made anew or kept, so its own owner and mode do not count. */
  async source(path: string, entry: SourceEntry, chosen: Selection): Promise<void> {
    if (entry.kind === 'node') this.put(path, await this.#digest(entry))
    else await this.#folder(path, '', entry, chosen)
  }

  async #folder(
    path: string,
    below: string,
    folder: SourceEntry & { kind: 'folder' },
    chosen: Selection,
  ): Promise<void> {
    for (const [name, entry] of this.#options.tree.children(folder)) {
      const part = below === '' ? name : `${below}/${name}`
      const full = path === '/' ? `/${name}` : `${path}/${name}`
      const included = chosen.includes(part)
      if (included) this.put(full, await this.#digest(entry))
      if (entry.kind === 'folder' && (included || chosen.mayHoldMore(part)))
        await this.#folder(full, part, entry, chosen)
    }
  }

  put(path: string, digest: string): void {
    this.#whole.update(bytesOfName(`${path}\0${digest}\n`))
    this.#entries?.set(path.replace(/^\//, ''), digest)
    if (this.#entries !== undefined && this.#entries.size > mostEntries) this.#entries = undefined
  }

  end(): FilesDigest {
    return { digest: `sha256:${this.#whole.digest('hex')}`, entries: this.#entries }
  }

  async #digest({ stat, at }: SourceEntry): Promise<string> {
    await this.#turns.next()
    const { chmod, owned } = this.#options
    const own = stat.mode & 0o7777
    const owner = owned ? '' : `${stat.uid}:${stat.gid}`
    const mode = stat.isSymbolicLink() ? '' : (chmod?.apply(own, stat.isDirectory()) ?? own).toString(8)
    if (stat.isFile()) {
      const { content, xattrs } = await this.#file(stat, at)
      return hash('sha256', `file ${mode} ${owner} ${stat.size} ${content} ${xattrs}`)
    }
    const xattrs = xattrText(at)
    if (stat.isSymbolicLink()) return hash('sha256', bytesOfName(`link ${owner} ${xattrs} ${linkText(at) ?? ''}`))
    const device = stat.isBlockDevice() || stat.isCharacterDevice() ? deviceNumbers(stat.rdev).join(':') : ''
    return hash('sha256', `${stat.mode >> 12} ${mode} ${owner} ${device} ${xattrs}`)
  }

  async #file(stat: Stats, at: HostPath): Promise<KnownFile> {
    const known = this.#options.memory.get(stat)
    if (known !== undefined) return known
    const now = Date.now()
    const found = { content: await contentSum(at, this.#options), xattrs: xattrText(at) }
    this.#options.memory.set(stat, now, found)
    return found
  }
}

const piece = Buffer.allocUnsafeSlow(256 * 1024)

/** sha256 of a file. */
async function contentSum(at: HostPath, { sumLarge, signal }: SumOptions): Promise<string> {
  const fd = openSync(fsPath(at), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const stat = fstatSync(fd)
    if (!stat.isFile()) throw new Failure('conflict', `Cannot read "${at}": it changed meanwhile`)
    if (sumLarge && stat.size >= largeSum) return hexOf(await sumLarge(fd, signal))
    let got = readSync(fd, piece, 0, piece.length, null)
    if (got < piece.length) return hash('sha256', piece.subarray(0, got))
    const sum = createHash('sha256')
    for (; got > 0; got = readSync(fd, piece, 0, piece.length, null)) sum.update(piece.subarray(0, got))
    return sum.digest('hex')
  } finally {
    closeSync(fd)
  }
}

/** Capabilities and the file's own attributes; access lists are the host's. */
function xattrText(at: HostPath): string {
  const xattrs = readImageXattrs(at)
  if (xattrs === undefined) return ''
  const kept = [...xattrs].filter(([name]) => name === 'security.capability' || name.startsWith('user.'))
  return JSON.stringify(kept.map(([name, value]) => [name, value.toString('base64')]).sort())
}
