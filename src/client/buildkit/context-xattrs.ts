/** Extended attributes of a file of a build context, as far as images keep them: libc is asked through koffi, which is loaded at the first file (10 ms). */
import { createRequire } from 'node:module'
import { getSystemErrorName } from 'node:util'
import { isImageXattr } from '../../api/image-xattrs.ts'
import { unreadable } from './walk.ts'

type Koffi = typeof import('koffi')

/** As large as the kernel lets an attribute, or the list of their names, be. (xattr(7)) */
const room = 65536

/** Gone since it was listed, or on a file system without any. */
const none = new Set(['ENODATA', 'ENOENT', 'EOPNOTSUPP', 'ENOTSUP'])

interface Calls {
  /** Names, each with a NUL behind it; undefined: there are none. */
  list(path: Buffer): Buffer | undefined
  get(path: Buffer, name: string): Buffer | undefined
}

let calls: Calls | undefined

/** Of a symbolic link itself. Undefined where there are none, and on systems whose attributes are no matter of images. */
export function contextXattrs(path: Buffer): ReadonlyMap<string, Buffer> | undefined {
  if (process.platform !== 'linux') return undefined
  calls ??= load(createRequire(import.meta.url)('koffi') as Koffi)
  const cPath = Buffer.concat([path, Buffer.of(0)])
  const names = calls.list(cPath)?.toString('utf8').split('\0').filter(isImageXattr) ?? []
  if (names.length === 0) return undefined
  const found = new Map<string, Buffer>()
  for (const name of names.sort()) {
    const value = calls.get(cPath, name)
    if (value !== undefined) found.set(name, value)
  }
  return found
}

function load(koffi: Koffi): Calls {
  const libc = koffi.load('libc.so.6')
  const list = libc.func('long llistxattr(const void *path, void *list, size_t size)')
  const get = libc.func('long lgetxattr(const void *path, const char *name, void *value, size_t size)')
  const buffer = Buffer.alloc(room)
  const bytes = (path: Buffer, size: number): Buffer | undefined => {
    if (size >= 0) return Buffer.from(buffer.subarray(0, size))
    const code = getSystemErrorName(-koffi.errno())
    if (none.has(code)) return undefined
    throw unreadable(path.subarray(0, -1), Object.assign(new Error(`Cannot read its attributes: ${code}`), { code }))
  }
  return {
    list: path => bytes(path, Number(list(path, buffer, room))),
    get: (path, name) => bytes(path, Number(get(path, name, buffer, room))),
  }
}
