/** Extended attributes of files on disk, as far as images have them: api/image-xattrs.ts. */
import { isImageXattr } from '../../api/image-xattrs.ts'
import { errnoOf } from '../../lib/failure.ts'
import { getXattr, listXattrs, setXattr } from '../../runtime/native.ts'
import type { HostPath } from '../../runtime/spec.ts'

export type Xattrs = ReadonlyMap<string, Buffer>

export const mostXattrs = 128

/** Of a link itself, never of what it points to. */
export function setImageXattrs(path: HostPath, xattrs: Xattrs): void {
  for (const [name, value] of xattrs) {
    if (!isImageXattr(name)) continue
    try {
      setXattr(path, name, value)
    } catch (error) {
      // a file system without access lists, or a link that cannot have user attributes, is no reason to refuse a file
      if (name !== 'security.capability' && ['EOPNOTSUPP', 'EPERM'].includes(errnoOf(error) ?? '')) continue
      throw error
    }
  }
}

/** Undefined when there are none. */
export function readImageXattrs(path: HostPath): Xattrs | undefined {
  const names = namesOf(path).filter(isImageXattr)
  if (names.length === 0) return undefined
  const found = new Map<string, Buffer>()
  for (const name of names.slice(0, mostXattrs)) {
    const value = getXattr(path, name)
    if (value !== undefined) found.set(name, value)
  }
  return found
}

function namesOf(path: HostPath): readonly string[] {
  try {
    return listXattrs(path)
  } catch (error) {
    // gone or replaced since it was listed, or (a link in /proc) without any
    if (['ENOENT', 'EPERM', 'EACCES'].includes(errnoOf(error) ?? '')) return []
    throw error
  }
}
