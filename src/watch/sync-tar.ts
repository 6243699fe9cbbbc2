/** Changed files as one tar archive, made as it is read, for PUT archive at "/". */
import { constants, lstatSync, readlinkSync, type Stats } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { type Pack, pack } from 'tar-stream'
import { errnoOf } from '../lib/failure.ts'

type Entry = Parameters<Pack['entry']>[0]

export interface SyncEntry {
  /** Absolute, on this machine. */
  readonly path: string
  /** Absolute, in the container. */
  readonly target: string
}

/** A file of up to so many bytes is read whole, so that its size is that of what was read. */
const small = 16 * 1024 * 1024
/** What has become a link or a pipe since it was looked at is not followed, nor waited for. */
const flag = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** What is gone by now, or cannot be read, is left out; `unreadable` is told of the latter. */
export function syncTar(
  entries: readonly SyncEntry[],
  unreadable: (path: string, errno: string) => void,
): AsyncIterable<Uint8Array> {
  const tar = pack()
  const fill = async () => {
    for (const entry of entries)
      try {
        await add(tar, entry)
      } catch (error) {
        const errno = errnoOf(error)
        if (errno === undefined) throw error
        if (errno !== 'ENOENT' && errno !== 'ENOTDIR') unreadable(entry.path, errno)
      }
    tar.finalize()
  }
  // whoever reads it fails with it
  fill().catch((error: unknown) => tar.destroy(error instanceof Error ? error : new Error(String(error))))
  return tar as AsyncIterable<Uint8Array>
}

async function add(tar: Pack, { path, target }: SyncEntry): Promise<void> {
  const found = lstatSync(path)
  const header = { name: target.replace(/^\/+/, ''), mode: found.mode & 0o7777, mtime: found.mtime, uid: 0, gid: 0 }
  if (found.isDirectory()) return await written(tar, { ...header, type: 'directory' })
  if (found.isSymbolicLink())
    return await written(tar, { ...header, type: 'symlink', linkname: readlinkSync(path), size: 0 })
  if (!found.isFile()) return
  if (found.size <= small) return await written(tar, header, await readFile(path, { flag }))
  await streamed(tar, header, { path, found })
}

function written(tar: Pack, header: Entry, content?: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (error?: Error | null) => (error ? reject(error) : resolve())
    if (content) tar.entry({ ...header, size: content.length }, content, done)
    else tar.entry(header, done)
  })
}

async function streamed(
  tar: Pack,
  header: Entry,
  { path, found }: { readonly path: string; readonly found: Stats },
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const entry = tar.entry({ ...header, size: found.size }, error => (error ? reject(error) : resolve()))
  await Promise.all([promise, pipeline(exactly(path, found.size), entry)])
}

/** As long as it was when it was looked at: what has shrunk is filled up, and its change is on its way. */
async function* exactly(path: string, size: number): AsyncGenerator<Buffer> {
  let left = size
  // the stream closes it
  const file = await open(path, flag)
  for await (const piece of file.createReadStream({ end: size - 1 }) as AsyncIterable<Buffer>) {
    left -= piece.length
    yield piece
  }
  for (; left > 0; left -= Math.min(left, 65536)) yield Buffer.alloc(Math.min(left, 65536))
}
