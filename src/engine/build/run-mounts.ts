/** RUN --mount: what each becomes for the runtime. A secret never reaches a disk, an argument or a record. */
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { basename, join, posix } from 'node:path'
import { Failure, isFailure } from '../../lib/failure.ts'
import { stableHash } from '../../lib/stable-json.ts'
import type { HostPath, MountSpec } from '../../runtime/spec.ts'
import { MergedTree } from '../base/merged-tree.ts'
import type { CacheMounts, MountedCache } from './cache-mounts.ts'
import type { Input, RunMount } from './dockerfile/plan.ts'
import type { BuildClient } from './request.ts'

export interface RunMountsOptions {
  readonly client: BuildClient
  /** Unpacked folders of where a mount takes its files from, lowest first; what is ignored of a context is not in them. */
  readonly layersOf: (from: Input) => Promise<readonly HostPath[]>
  readonly cacheMounts: CacheMounts
  /** Names the content of a source; undefined where that may be another each time. */
  readonly chainOf: (from: Input) => Promise<string | undefined>
  /** Copies what is in a folder of a source to an empty folder. */
  readonly fill: (from: Input, source: string, folder: HostPath) => Promise<void>
  /** An empty folder that goes with the step. */
  readonly extra: HostPath
  /** In memory, made when it is needed. */
  readonly secrets: HostPath
}

type CacheMount = Extract<RunMount, { kind: 'cache' }>

interface Mounted {
  readonly mounts: readonly MountSpec[]
  /** KEY=value, over those of the step. */
  readonly env?: readonly string[]
}

/** What `undo` takes back when the command has ended. */
export async function runMounts(
  mounts: readonly RunMount[],
  options: RunMountsOptions,
  undo: AsyncDisposableStack,
): Promise<Required<Mounted>> {
  const made: Mounted[] = []
  const named = await Promise.all(
    mounts.map(async mount => (mount.kind === 'cache' ? await withBase(mount, options) : mount)),
  )
  const caches = new Map<string, MountedCache>()
  // locks in the order of their names: two commands never wait for each other
  for (const mount of named.filter(each => each.kind === 'cache').sort((a, b) => (a.id < b.id ? -1 : 1)))
    if (!caches.has(mount.id)) caches.set(mount.id, undo.use(await openCache(mount, options)))
  for (const [i, mount] of named.entries()) made.push(await mounted(mount, { ...options, number: i, caches }, undo))
  return {
    // of several at one place the last is there, and the others are not below it
    mounts: [...new Map(made.flatMap(each => each.mounts).map(mount => [mount.target, mount])).values()],
    env: made.flatMap(each => each.env ?? []),
  }
}

/** A cache that begins as another one is another one, whatever its id: with other content, owner or mode. (BuildKit: getRefCacheDir) */
async function withBase(mount: CacheMount, { chainOf }: RunMountsOptions): Promise<CacheMount> {
  const { id, from, source, uid, gid, mode } = mount
  const isPlain = from.kind === 'scratch' && uid === 0 && gid === 0 && mode === 0o755
  if (isPlain) return mount
  const base = from.kind === 'scratch' ? { uid, gid, mode } : { chain: (await chainOf(from)) ?? '', source }
  return { ...mount, id: `${id} ${stableHash(base)}` }
}

async function openCache(mount: CacheMount, options: RunMountsOptions): Promise<MountedCache> {
  const { from, source } = mount
  return await options.cacheMounts.use(mount, async folder => {
    if (from.kind !== 'scratch') await options.fill(from, source, folder)
  })
}

type Options = RunMountsOptions & { readonly number: number; readonly caches: ReadonlyMap<string, MountedCache> }

async function mounted(mount: RunMount, options: Options, undo: AsyncDisposableStack): Promise<Mounted> {
  switch (mount.kind) {
    case 'bind':
      return { mounts: [bind(mount, await options.layersOf(mount.from), options)] }
    case 'cache':
      return { mounts: [folderBind(options.caches.get(mount.id)!.path, mount.target, mount.readonly)] }
    case 'tmpfs': {
      const data = mount.size === undefined ? '' : `size=${mount.size}`
      return { mounts: [{ kind: 'tmpfs', cause, target: plain(mount.target), data, flags: ['nosuid'] }] }
    }
    case 'files':
      return { mounts: [files(mount, options)] }
    case 'secret':
      return await secret(mount, options, undo)
    case 'ssh':
      return await ssh(mount, options, undo)
    default:
      return mount satisfies never
  }
}

const cause = 'RUN --mount'

function bind(
  { target, source, writable }: Extract<RunMount, { kind: 'bind' }>,
  layers: readonly HostPath[],
  { extra, number }: Options,
): MountSpec {
  const path = realPath(layers, source)
  const changes = { upper: join(extra, `upper${number}`), work: join(extra, `work${number}`) }
  if (writable) {
    mkdirSync(changes.upper)
    chmodSync(changes.upper, 0o755)
    mkdirSync(changes.work)
  }
  return {
    kind: 'image',
    cause,
    target: plain(target),
    layers: layers.length > 0 ? layers : [emptyFolder(extra)],
    ...(path !== '' && { beneath: path }),
    ...(writable && { changes }),
  }
}

function files({ target, files: all }: Extract<RunMount, { kind: 'files' }>, { extra, number }: Options): MountSpec {
  const folder = join(extra, `files${number}`)
  mkdirSync(folder)
  chmodSync(folder, 0o755)
  for (const { name, content } of all) {
    const path = join(folder, basename(name))
    writeFileSync(path, content, { flag: 'wx' })
    chmodSync(path, 0o755)
  }
  return folderBind(folder, target, true)
}

function emptyFolder(extra: HostPath): HostPath {
  const path = join(extra, 'empty')
  mkdirSync(path, { recursive: true })
  return path
}

/** Where a path of layers really is, its links followed inside them; "" for the root. @throws Failure `not-found`. */
export function realPath(layers: readonly HostPath[], source: string): string {
  if (plain(source) === '/') return ''
  const missing = () => new Failure('not-found', `failed to calculate checksum: "${source}": not found`)
  if (layers.length === 0) throw missing()
  using tree = new MergedTree(layers)
  const names = tree.realNames(source)
  if (names === undefined) throw missing()
  return names.join('/')
}

/** The runtime takes no "//" and no "/" at the end. */
function plain(path: string): string {
  return posix.resolve('/', path)
}

function folderBind(source: HostPath, target: string, readonly: boolean, directory = true): MountSpec {
  const fixed = { kind: 'bind', cause, recursive: false, propagation: 'rprivate', flags: [] } as const
  return { ...fixed, source, target: plain(target), readonly, directory }
}

async function secret(
  mount: Extract<RunMount, { kind: 'secret' }>,
  { client, secrets }: Options,
  undo: AsyncDisposableStack,
): Promise<Mounted> {
  const { id, target, variable, required, mode, uid, gid } = mount
  let content: Buffer
  try {
    content = await client.secret(id)
  } catch (error) {
    if (!isFailure(error, 'not-found')) throw error
    if (required) throw new Failure('not-found', `secret ${id}: not found`, { cause: error })
    return { mounts: [] }
  }
  const env = variable === undefined ? [] : [`${variable}=${content.toString('utf8')}`]
  if (target === undefined) return { mounts: [], env }
  mkdirSync(secrets, { recursive: true, mode: 0o700 })
  if (statfsSync(secrets).type !== TMPFS_MAGIC)
    throw new Failure('unsupported', `Cannot hand over secret "${id}": "${secrets}" is not in memory`, {
      hint: 'Mount a tmpfs on /dev/shm',
    })
  const folder = mkdtempSync(join(secrets, 'run-'))
  undo.defer(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'secret')
  writeFileSync(path, content, { mode: 0o600 })
  chownSync(path, uid, gid)
  chmodSync(path, mode)
  return { mounts: [folderBind(path, target, true, false)], env }
}

const TMPFS_MAGIC = 0x01021994

async function ssh(
  { id, target, required, mode, uid, gid }: Extract<RunMount, { kind: 'ssh' }>,
  { client }: Options,
  undo: AsyncDisposableStack,
): Promise<Mounted> {
  const socket = await client.ssh(id)
  if (socket === undefined) {
    if (required) throw new Failure('not-found', `unset ssh forward key ${id}`)
    return { mounts: [] }
  }
  undo.use(socket)
  chownSync(socket.path, uid, gid)
  chmodSync(socket.path, mode)
  return { mounts: [folderBind(socket.path, target, false, false)] }
}
