import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type NameEntry, Names } from '../../../src/engine/dns/names.ts'

const entry = (containerId: string, more: Partial<NameEntry> = {}): NameEntry => ({
  containerId,
  networkId: 'n1',
  networkName: 'front',
  names: [containerId],
  ipv4: `10.1.0.${containerId.length}`,
  internal: false,
  ...more,
})

describe('Names', () => {
  test('resolve() gives every replica of a service', () => {
    const names = new Names()
    names.add(entry('me'))
    for (const i of [1, 2, 3]) names.add(entry(`web-${i}`, { names: [`web-${i}`, 'web'], ipv4: `10.1.0.1${i}` }))
    assert.deepEqual(names.resolve('me', 'web'), { ipv4: ['10.1.0.11', '10.1.0.12', '10.1.0.13'], ipv6: [] })
  })

  test('resolve() sees the networks of the asking container only', () => {
    const names = new Names()
    names.add(entry('a'))
    names.add(entry('db', { networkId: 'n2', networkName: 'back', ipv4: '10.2.0.2' }))
    assert.equal(names.resolve('a', 'db'), undefined)
    assert.ok(names.isKnown('db'))
    names.add(entry('a', { networkId: 'n2', networkName: 'back', ipv4: '10.2.0.3' }))
    assert.deepEqual(names.resolve('a', 'db')!.ipv4, ['10.2.0.2'])
    assert.deepEqual(names.resolve('a', 'db.back')!.ipv4, ['10.2.0.2'])
    assert.equal(names.resolve('a', 'db.front'), undefined)
  })

  test('resolve() gives the names of one’s own group first on a network that several share', () => {
    const names = new Names()
    const rows = [
      ['shop-web', 'shop', 'web'],
      ['shop-db', 'shop', 'db'],
      ['blog-web', 'blog', 'web'],
      ['blog-db', 'blog', 'db'],
      ['blog-db2', 'blog', 'db'],
      ['proxy', undefined, 'proxy'],
    ] as const
    for (const [i, [id, group, service]] of rows.entries())
      names.add(entry(id, { group, names: [id, service], ipv4: `10.1.0.${i}` }))
    const of = (who: string, name: string) => names.resolve(who, name)?.ipv4.toSorted()
    assert.deepEqual(of('shop-web', 'db'), ['10.1.0.1'])
    assert.deepEqual(of('blog-web', 'db'), ['10.1.0.3', '10.1.0.4'])
    // who belongs to nothing sees all, and what nobody of the group has is found with the others
    assert.deepEqual(of('proxy', 'db'), ['10.1.0.1', '10.1.0.3', '10.1.0.4'])
    assert.deepEqual(of('shop-web', 'proxy'), ['10.1.0.5'])
    assert.deepEqual(of('shop-web', 'blog-db'), ['10.1.0.3'])
    // the group behind the name says whose is meant
    assert.deepEqual(of('shop-web', 'db.blog'), ['10.1.0.3', '10.1.0.4'])
    assert.deepEqual(of('proxy', 'DB.Shop.'), ['10.1.0.1'])
    assert.equal(of('shop-web', 'db.nobody'), undefined)
    // while one's own is stopped, nobody is sent to somebody else's; when it is gone for good, they are
    names.remove('shop-db')
    assert.equal(of('shop-web', 'db'), undefined)
    assert.deepEqual(of('proxy', 'db'), ['10.1.0.3', '10.1.0.4'])
    names.forget('shop-db')
    assert.deepEqual(of('shop-web', 'db'), ['10.1.0.3', '10.1.0.4'])
    names.remove('blog-db')
    names.add(entry('blog-db', { group: 'blog', names: ['blog-db', 'db'], ipv4: '10.1.0.3' }))
    assert.deepEqual(of('blog-web', 'db'), ['10.1.0.3', '10.1.0.4'])
  })

  test('resolve() folds case and the final dot, and takes no prototype member for a name', () => {
    const names = new Names()
    names.add(entry('Web', { links: {} }))
    assert.ok(names.resolve('Web', 'wEB.'))
    for (const name of ['constructor', '__proto__', 'toString', ''])
      assert.equal(names.resolve('Web', name), undefined, name)
  })

  test('remove() forgets a stopped container, but nobody outside is asked for its name', () => {
    const names = new Names()
    names.add(entry('a'))
    names.add(entry('db', { ipv4: '10.1.0.9' }))
    names.remove('db')
    assert.equal(names.resolve('a', 'db'), undefined)
    assert.equal(names.reverse('a', '10.1.0.9'), undefined)
    assert.ok(names.isKnown('db'))
    assert.ok(!names.isKnown('example'))
  })

  test('links are seen by the container that has them alone', () => {
    const names = new Names()
    names.add(entry('a', { links: { database: 'db' } }))
    names.add(entry('b', { ipv4: '10.1.0.7' }))
    names.add(entry('db', { ipv4: '10.1.0.9' }))
    assert.deepEqual(names.resolve('a', 'database')!.ipv4, ['10.1.0.9'])
    assert.equal(names.resolve('b', 'database'), undefined)
  })

  test('reverse() gives the first name with its network', () => {
    const names = new Names()
    names.add(entry('a', { names: ['shop-a-1', 'a'], ipv4: '10.1.0.5' }))
    assert.equal(names.reverse('a', '10.1.0.5'), 'shop-a-1.front')
  })

  test('reachesOutside() holds with one network that is not internal', () => {
    const names = new Names()
    names.add(entry('a', { internal: true }))
    assert.ok(!names.reachesOutside('a'))
    names.add(entry('a', { networkId: 'n2' }))
    assert.ok(names.reachesOutside('a'))
    assert.ok(!names.reachesOutside('nobody'))
  })
})
