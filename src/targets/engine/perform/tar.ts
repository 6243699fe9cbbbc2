/** A few small files as a tar archive (POSIX ustar), for PUT archive. */
import { readFileSync } from 'node:fs'
import { errnoOf, Failure, messageOf } from '../../../lib/failure.ts'
import type { FileUpload } from '../operation.ts'

const block = 512

/** Entries have absolute names and no folders: the engine makes what is missing. */
export function tarOf(files: readonly FileUpload[]): Uint8Array {
  const pieces = files.flatMap(file => {
    const content = contentOf(file)
    const padding = Buffer.alloc((block - (content.length % block)) % block)
    return [header(file, content.length), content, padding]
  })
  return Buffer.concat([...pieces, Buffer.alloc(2 * block)])
}

function contentOf({ content }: FileUpload): Buffer {
  if (typeof content === 'string') return Buffer.from(content)
  try {
    return readFileSync(content.file)
  } catch (cause) {
    throw new Failure('invalid', `Cannot read "${content.file}": ${errnoOf(cause) ?? messageOf(cause)}`, { cause })
  }
}

function header(file: FileUpload, size: number): Buffer {
  const bytes = Buffer.alloc(block)
  const [prefix, name] = splitName(file.target)
  const octal = (value: number, at: number, length: number): void => {
    bytes.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1')
  }
  bytes.write(name, 0)
  octal(file.mode & 0o7777, 100, 8)
  octal(file.uid, 108, 8)
  octal(file.gid, 116, 8)
  octal(size, 124, 12)
  // no time: the same files give the same bytes
  octal(0, 136, 12)
  bytes.write('        ', 148, 'latin1')
  bytes.write('0', 156, 'latin1')
  bytes.write('ustar\x0000', 257, 'latin1')
  bytes.write(prefix, 345)
  const sum = bytes.reduce((total, byte) => total + byte, 0)
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return bytes
}

/** A name holds 100 bytes, its folder before it 155 more. */
function splitName(path: string): readonly [prefix: string, name: string] {
  if (Buffer.byteLength(path) <= 100) return ['', path]
  for (let slash = path.indexOf('/', 1); slash > 0; slash = path.indexOf('/', slash + 1)) {
    const [prefix, name] = [path.slice(0, slash), path.slice(slash + 1)]
    if (Buffer.byteLength(prefix) <= 155 && Buffer.byteLength(name) <= 100) return [prefix, name]
  }
  throw new Failure('invalid', `Cannot put a file at "${path}": the path is longer than an archive can carry`)
}
