/** Files of an image to a folder of the client's: the sending end of fsutil's packets. */
import { closeSync, constants, openSync, readSync, realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { type fileStat, folderSend, packetTypes, syncKeys } from '../../api/buildkit/file-sync.ts'
import type { From } from '../../api/buildkit/message.ts'
import { goMode } from '../../api/go-mode.ts'
import { Failure } from '../../lib/failure.ts'
import type { HostPath } from '../../runtime/spec.ts'
import { readImageXattrs } from '../base/image-xattrs.ts'
import { MergedTree } from '../base/merged-tree.ts'
import { deviceNumbers, type FileEntry, linkText, walkTree } from '../base/tree-tar.ts'
import type { ClientSession } from './sessions.ts'

export interface SendOptions {
  /** Place of the exporter in the request. */
  readonly exporter: number
  readonly signal: AbortSignal
}

const piece = 32 * 1024
const reading = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** Of layers, lowest first. @throws Failure as the client says. */
export async function sendFolder(
  session: ClientSession,
  layers: readonly HostPath[],
  { exporter, signal }: SendOptions,
): Promise<void> {
  using tree = new MergedTree(layers)
  const call = session.grpc.open(folderSend.diffCopy, {
    signal,
    metadata: new Map([[syncKeys.exporter, [String(exporter)]]]),
  })
  const files = new Map<number, HostPath>()
  const stats = (async () => {
    let id = 0
    for (const { stat, path } of statsOf(tree)) {
      if (path !== undefined) files.set(id, path)
      id++
      await call.send({ type: packetTypes.stat, stat })
    }
    await call.send({ type: packetTypes.stat })
  })()
  // what breaks it is told where packets end
  stats.catch(() => {})
  try {
    for await (const packet of call.messages) {
      if (packet.type === packetTypes.error)
        throw new Failure('invalid', `error from receiver: ${Buffer.from(packet.data).toString()}`)
      if (packet.type === packetTypes.finish) {
        await call.send({ type: packetTypes.finish })
        call.end()
      }
      if (packet.type !== packetTypes.request) continue
      const path = files.get(packet.id)
      if (path === undefined) throw new Failure('invalid', `invalid file id ${packet.id}`)
      files.delete(packet.id)
      for (const data of piecesOf(path)) await call.send({ type: packetTypes.data, id: packet.id, data })
      await call.send({ type: packetTypes.data, id: packet.id })
    }
    await stats
  } finally {
    call.cancel()
  }
}

interface Told {
  readonly stat: From<typeof fileStat>
  /** Of a file that may be asked for. */
  readonly path: HostPath | undefined
}

function* statsOf(tree: MergedTree): Generator<Told> {
  const inodes = new Map<string, string>()
  for (const entry of walkTree(tree, tree.root, '')) {
    if (entry.stat.isSocket()) continue
    const key = `${entry.stat.dev}:${entry.stat.ino}`
    const first = entry.stat.isFile() && entry.stat.nlink > 1 ? inodes.get(key) : undefined
    if (entry.stat.isFile() && first === undefined) inodes.set(key, entry.name)
    yield { stat: statOf(entry, first ?? ''), path: entry.stat.isFile() ? lasting(entry.path) : undefined }
  }
}

/** What reaches it also when the walk has gone on; nobody changes a layer. */
function lasting(path: HostPath): HostPath {
  return join(realpathSync(dirname(path)), basename(path))
}

function statOf({ name, stat, path }: FileEntry, linkName: string): From<typeof fileStat> {
  const [deviceMajor, deviceMinor] =
    stat.isBlockDevice() || stat.isCharacterDevice() ? deviceNumbers(stat.rdev) : [0, 0]
  return {
    path: name,
    mode: goMode(stat.mode),
    uid: stat.uid,
    gid: stat.gid,
    size: stat.isFile() ? stat.size : 0,
    modified: BigInt(Math.floor(stat.mtimeMs * 1000)) * 1000n,
    linkName: stat.isSymbolicLink() ? (linkText(path) ?? '') : linkName,
    deviceMajor,
    deviceMinor,
    xattrs: readImageXattrs(path) ?? new Map(),
  }
}

function* piecesOf(path: HostPath): Generator<Buffer> {
  const fd = openSync(path, reading)
  try {
    for (;;) {
      const data = Buffer.allocUnsafe(piece)
      const length = readSync(fd, data, 0, piece, null)
      if (length === 0) return
      yield data.subarray(0, length)
    }
  } finally {
    closeSync(fd)
  }
}
