import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Sessions } from '../../src/web/sessions.ts'

function sessions() {
  const tokens: string[] = []
  let time = 0
  const made = new Sessions({ now: () => time, onToken: token => tokens.push(token) })
  return { made, tokens, pass: (ms: number) => (time += ms) }
}

describe('Sessions', () => {
  test('exchange() takes each token once, and tells the next', () => {
    const { made, tokens } = sessions()
    assert.equal(made.exchange('wrong'), undefined)
    assert.equal(made.exchange(''), undefined)
    assert.equal(tokens.length, 1)
    const id = made.exchange(tokens[0]!)
    assert.ok(id !== undefined && made.knows(id))
    assert.equal(tokens.length, 2)
    assert.notEqual(tokens[1], tokens[0])
    assert.equal(made.exchange(tokens[0]!), undefined)
  })

  test('knows() ends what nobody used for half a day', () => {
    const { made, tokens, pass } = sessions()
    const id = made.exchange(tokens[0]!)!
    pass(11 * 3_600_000)
    assert.ok(made.knows(id))
    pass(11 * 3_600_000)
    assert.ok(made.knows(id))
    pass(13 * 3_600_000)
    assert.ok(!made.knows(id))
  })

  test('keeps 64 at most: the one unused longest makes room', () => {
    const { made, tokens, pass } = sessions()
    const ids = Array.from({ length: 65 }, () => {
      pass(1)
      return made.exchange(tokens.at(-1)!)!
    })
    assert.deepEqual(
      ids.map(id => made.knows(id)),
      [false, ...Array(64).fill(true)],
    )
  })
})
