/** Ids of the host for user namespaces: where they come from, and who has which. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { userPool } from '../../../src/engine/users/user-pool.ts'
import { UserRanges, usualUsers } from '../../../src/engine/users/user-ranges.ts'

const size = 65_536

describe('userPool()', () => {
  it('takes the lines of the user, as many whole ranges as both files have', () => {
    const subuid = '# comment\n\nother:100000:65536\ntscompose:200000:131072\ntscompose:900000:70000\n'
    const subgid = 'tscompose:300000:65536\ntscompose:500000:65535\ntscompose:700000:65536\n'
    assert.deepEqual(userPool(undefined, { subuid, subgid }).ranges, [
      { uid: 200_000, gid: 300_000, size },
      { uid: 265_536, gid: 700_000, size },
    ])
    assert.deepEqual(userPool('other', { subuid, subgid: 'other:1000000:65536' }).ranges, [
      { uid: 100_000, gid: 1_000_000, size },
    ])
  })

  it('has ids of its own when nobody has lines for it, but none that are somebody’s', () => {
    const { ranges, origin } = userPool(undefined, { subuid: 'other:1879048100:65628', subgid: 'other:1879244800:1' })
    assert.deepEqual(ranges[0], { uid: 1_879_113_728, gid: 1_879_113_728, size })
    assert.equal(ranges[1]?.uid, 1_879_113_728 + size)
    assert.equal(ranges[2]?.uid, 1_879_113_728 + 3 * size)
    assert.match(origin, /^1879048192 and above, 3998 of 65536 ids: \/etc\/subuid has no line for "tscompose"$/)
    assert.ok(ranges.every(range => range.uid + range.size < 2 ** 31))
  })

  it('refuses a user without enough, and a line that is none', () => {
    const cases = [
      ['me', '', '', 'Cannot make user namespaces: /etc/subuid gives "me" less than 65536 ids'],
      ['me', 'me:1:65536', 'me:1:65535', 'Cannot make user namespaces: /etc/subgid gives "me" less than 65536 ids'],
      [undefined, 'a:1:2\nnonsense', '', 'Cannot read /etc/subuid: line 2 is not USER:FIRST:COUNT'],
      [undefined, '', 'a:4294967295:65536', 'Cannot read /etc/subgid: line 1 is not USER:FIRST:COUNT'],
    ] as const
    for (const [user, subuid, subgid, message] of cases)
      assert.throws(() => userPool(user, { subuid, subgid }), { kind: 'invalid', message })
  })
})

describe('UserRanges', () => {
  const ranges = (said: string[] = []) => new UserRanges(usualUsers, text => said.push(text))

  it('gives a key one range as long as anyone holds it, and then to the next', () => {
    const users = ranges()
    const first = users.take('1', 'project a')
    assert.deepEqual(users.take('2', 'project a'), first)
    const other = users.take('3', 'project b')
    assert.notEqual(other.uid, first.uid)
    users.release('1')
    assert.deepEqual(users.take('4', 'project a'), first)
    users.release('2')
    users.release('4')
    assert.equal(users.take('5', 'project c').uid, first.uid)
  })

  it('gives nothing that a record has, from whatever pool it was', () => {
    const [first, second] = [ranges().take('x', 'x'), ranges()]
    second.hold('old', { ...first, key: 'project old', uid: first.uid - 100 })
    assert.notEqual(second.take('new', 'project new').uid, first.uid)
    assert.equal(second.take('more', 'project old').uid, first.uid - 100)
  })

  it('says where they come from, once', () => {
    const said: string[] = []
    const users = ranges(said)
    assert.deepEqual(said, [])
    users.take('1', 'a')
    users.take('2', 'b')
    assert.equal(said.length, 1)
    assert.match(said[0]!, /^user namespaces have ids of /)
  })
})
