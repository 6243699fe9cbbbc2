import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ownerInside, ownerOutside, xattrsInside, xattrsOutside } from '../../../src/engine/base/mapped-ids.ts'

const ids = { uid: 100_000, gid: 200_000, size: 65_536 }

test('owners as the namespace counts, and as the host does', () => {
  assert.deepEqual(ownerInside({ uid: 100_033, gid: 200_000 }, ids), { uid: 33, gid: 0 })
  assert.deepEqual(ownerInside({ uid: 0, gid: 265_536 }, ids), { uid: 65_534, gid: 65_534 })
  assert.deepEqual(ownerOutside({ uid: 65_535, gid: 1 }, ids), { uid: 165_535, gid: 200_001 })
  assert.equal(ownerOutside({ uid: 65_536, gid: 1 }, ids), undefined)
})

test('attributes that name somebody name the same inside', () => {
  const plain = Buffer.from('0100000200040000000000000000000000000000', 'hex')
  const rooted = Buffer.from(`0100000300040000000000000000000000000000${'a0860100'}`, 'hex')
  // version 2; ACL_USER_OBJ, ACL_USER 7, ACL_GROUP 8, ACL_OTHER
  const list = (user: string, group: string) =>
    Buffer.from(`02000000${'01000700ffffffff'}${`02000500${user}`}${`08000400${group}`}${'20000400ffffffff'}`, 'hex')
  const own = new Map([
    ['security.capability', plain],
    ['system.posix_acl_access', list('07000000', '08000000')],
    ['user.note', Buffer.from('note')],
  ])
  const hosts = new Map([
    ['security.capability', rooted],
    ['system.posix_acl_access', list('a7860100', '480d0300')],
    ['user.note', Buffer.from('note')],
  ])
  assert.deepEqual(xattrsOutside(own, ids), hosts)
  assert.deepEqual(xattrsInside(hosts, ids), own)
  // meant for another namespace: kept as it is
  const foreign = Buffer.from(rooted)
  foreign.writeUInt32LE(5, 20)
  assert.deepEqual(xattrsInside(new Map([['security.capability', foreign]]), ids).get('security.capability'), foreign)
})
