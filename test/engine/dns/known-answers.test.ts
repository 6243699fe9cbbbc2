import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import packet from 'dns-packet'
import { KnownAnswers } from '../../../src/engine/dns/known-answers.ts'
import { Names } from '../../../src/engine/dns/names.ts'

const question = (id: number, name: string, type: 'A' | 'AAAA' = 'A') =>
  packet.encode({ type: 'query', id, questions: [{ type, name }] })
const member = { networkId: 'n', networkName: 'front', internal: false }

function box() {
  const names = new Names()
  const known = new KnownAnswers(names)
  /** Answers are [id, text], as text. */
  const find = (query: Buffer) => known.find(query)?.toString('latin1', 2)
  const keep = (query: Buffer, ...texts: string[]) =>
    known.keep(
      query,
      texts.map(text => Buffer.from(`..${text}`)),
      names.version,
    )
  return { names, known, find, keep }
}

describe('KnownAnswers', () => {
  test('answers a question again under its own id', () => {
    const { known, keep } = box()
    keep(question(1, 'db'), 'answer')
    const response = known.find(question(0x1234, 'db'))!
    assert.deepEqual([...response.subarray(0, 2)], [0x12, 0x34])
    assert.equal(response.toString('latin1', 2), 'answer')
    assert.equal(known.find(question(1, 'web')), undefined)
  })

  test('gives each address its turn, also to a client that asks for both families each time', () => {
    const { find, keep } = box()
    keep(question(1, 'web'), 'first', 'second')
    keep(question(1, 'web', 'AAAA'), 'none')
    const given: (string | undefined)[] = []
    for (let i = 0; i < 4; i++) {
      given.push(find(question(i, 'web')))
      assert.equal(find(question(i, 'web', 'AAAA')), 'none')
    }
    assert.deepEqual(given.toSorted(), ['first', 'first', 'second', 'second'])
    assert.notEqual(given[0], given[1])
  })

  test('knows nothing once names have changed, whatever the change', () => {
    const { names, find, keep } = box()
    const changes = [
      () => names.add({ ...member, containerId: 'a', names: ['db'], ipv4: '10.1.0.2', group: 'shop' }),
      () => names.stepBack('a', true),
      () => names.remove('a'),
      () => names.forget('a'),
    ]
    for (const change of changes) {
      keep(question(1, 'db'), 'answer')
      assert.equal(find(question(1, 'db')), 'answer')
      change()
      assert.equal(find(question(1, 'db')), undefined)
    }
  })

  test('keeps nothing that was looked up before a change', () => {
    const { names, known, find } = box()
    const { version } = names
    names.add({ ...member, containerId: 'a', names: ['db'], ipv4: '10.1.0.2' })
    known.keep(question(1, 'db'), [Buffer.from('..old')], version)
    assert.equal(find(question(1, 'db')), undefined)
  })

  test('keeps no more than a few hundred, whatever is asked', () => {
    const { find, keep } = box()
    for (let i = 0; i < 10_000; i++) keep(question(1, `name${i}`), 'answer')
    const left = Array.from({ length: 10_000 }, (_, i) => find(question(1, `name${i}`))).filter(Boolean)
    assert.ok(left.length > 0 && left.length <= 256, `${left.length} are left`)
    keep(Buffer.alloc(2000), 'large')
    assert.equal(find(Buffer.alloc(2000)), undefined)
  })
})
