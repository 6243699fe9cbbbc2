/** Ids of files as the host counts ↔ as a user namespace does: owners, and those that attributes hold. */
import type { IdRange } from '../../runtime/spec.ts'
import type { Xattrs } from './image-xattrs.ts'

type Owner = Pick<IdRange, 'uid' | 'gid'>

/** What the kernel shows for an id that has no meaning (/proc/sys/kernel/overflowuid). */
const overflow = 65_534

export function ownerInside({ uid, gid }: Owner, ids: IdRange): Owner {
  return { uid: inside(uid, ids.uid, ids.size), gid: inside(gid, ids.gid, ids.size) }
}

/** Undefined for an owner that the namespace does not have. */
export function ownerOutside({ uid, gid }: Owner, ids: IdRange): Owner | undefined {
  return uid < ids.size && gid < ids.size ? { uid: ids.uid + uid, gid: ids.gid + gid } : undefined
}

export function xattrsInside(xattrs: Xattrs, ids: IdRange): Xattrs {
  return mapped(xattrs, {
    uid: id => inside(id, ids.uid, ids.size),
    gid: id => inside(id, ids.gid, ids.size),
    capability: value => plainCapability(value, ids.uid),
  })
}

export function xattrsOutside(xattrs: Xattrs, ids: IdRange): Xattrs {
  return mapped(xattrs, {
    uid: id => ids.uid + id,
    gid: id => ids.gid + id,
    capability: value => rootedCapability(value, ids.uid),
  })
}

function inside(id: number, first: number, size: number): number {
  return id >= first && id < first + size ? id - first : overflow
}

function mapped(
  xattrs: Xattrs,
  ways: {
    readonly uid: (id: number) => number
    readonly gid: (id: number) => number
    readonly capability: (value: Buffer) => Buffer
  },
): Xattrs {
  return new Map(
    [...xattrs].map(([name, value]) => {
      if (name === 'security.capability') return [name, ways.capability(value)]
      return [name, name.startsWith('system.posix_acl_') ? accessList(value, ways) : value]
    }),
  )
}

/** Tags of entries that name somebody: ACL_USER, ACL_GROUP (linux/posix_acl.h). */
const [userEntry, groupEntry] = [0x02, 0x08]

/** linux/posix_acl_xattr.h: four bytes of version, then entries of tag, rights and id. */
function accessList(
  value: Buffer,
  { uid, gid }: { readonly uid: (id: number) => number; readonly gid: (id: number) => number },
): Buffer {
  const list = Buffer.from(value)
  for (let at = 4; at + 8 <= list.length; at += 8) {
    const tag = list.readUInt16LE(at)
    const id = list.readUInt32LE(at + 4)
    if (tag === userEntry) list.writeUInt32LE(uid(id), at + 4)
    if (tag === groupEntry) list.writeUInt32LE(gid(id), at + 4)
  }
  return list
}

/** linux/capability.h: VFS_CAP_REVISION in the highest byte; revision 3 ends in the uid whose namespace it is meant for. */
const revision = { plain: 0x02, rooted: 0x03 } as const
const plainSize = 20

function plainCapability(value: Buffer, root: number): Buffer {
  if (value.length !== plainSize + 4 || value[3] !== revision.rooted || value.readUInt32LE(plainSize) !== root)
    return value
  const plain = Buffer.from(value.subarray(0, plainSize))
  plain[3] = revision.plain
  return plain
}

function rootedCapability(value: Buffer, root: number): Buffer {
  if (value.length !== plainSize || value[3] !== revision.plain) return value
  const rooted = Buffer.alloc(plainSize + 4)
  value.copy(rooted)
  rooted[3] = revision.rooted
  rooted.writeUInt32LE(root, plainSize)
  return rooted
}
