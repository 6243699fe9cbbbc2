/** The content of a large file to a new one: by the kernel, shared (reflink) where the file system can; holes stay holes. */
import { constants, type Stats } from 'node:fs'
import { copyFile, open } from 'node:fs/promises'
import { fsPath } from '../../lib/file-name.ts'
import { nextData, nextHole } from '../../runtime/native.ts'
import type { HostPath } from '../../runtime/spec.ts'

const piece = 1024 * 1024
const reading = constants.O_RDONLY | constants.O_NONBLOCK
const newFile = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW

/** `stat` of the source, a file that nobody changes meanwhile; at `to` there is nothing yet. */
export async function copyContent(from: HostPath, to: HostPath, { size, blocks }: Stats): Promise<void> {
  if (blocks * 512 >= size)
    return await copyFile(fsPath(from), fsPath(to), constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
  await using source = await open(fsPath(from), reading)
  await using target = await open(fsPath(to), newFile, 0o600)
  const buffer = Buffer.allocUnsafe(Math.min(piece, size))
  for (let start = nextData(source.fd, 0); start !== undefined; ) {
    const end = nextHole(source.fd, start)
    for (let at = start; at < end; ) {
      const { bytesRead } = await source.read(buffer, 0, Math.min(buffer.length, end - at), at)
      if (bytesRead === 0) break
      await target.write(buffer, 0, bytesRead, at)
      at += bytesRead
    }
    start = nextData(source.fd, end)
  }
  await target.truncate(size)
}
