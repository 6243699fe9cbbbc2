import assert from 'node:assert/strict'
import { describe, mock, test } from 'node:test'
import { RulesGuard } from '../../../src/engine/networks/rules-guard.ts'
import { FakeNetworkKernel } from '../../support/fake-network-kernel.ts'

/** Lets what is ready run. */
const turn = () => new Promise(resolve => setImmediate(resolve))

function box(t: { after(done: () => void): void }, mend: () => Promise<void>) {
  const kernel = new FakeNetworkKernel()
  const said: string[] = []
  mock.timers.enable({ apis: ['setTimeout'] })
  const guard = new RulesGuard(kernel, { mend, say: line => said.push(line) })
  t.after(() => {
    guard.close()
    mock.timers.reset()
  })
  const pass = async () => {
    mock.timers.tick(100)
    await turn()
  }
  return { kernel, said, guard, pass }
}

describe('RulesGuard', () => {
  test('looks once for all that is heard in a moment', async t => {
    let looks = 0
    const { kernel, pass } = box(t, async () => void looks++)
    await pass()
    assert.equal(looks, 0)
    for (let i = 0; i < 100; i++) kernel.tellOfRules()
    await pass()
    assert.equal(looks, 1)
    await pass()
    assert.equal(looks, 1)
  })

  test('looks again for what is heard while it looks', async t => {
    const looks: PromiseWithResolvers<void>[] = []
    const { kernel, pass } = box(t, () => {
      looks.push(Promise.withResolvers())
      return looks.at(-1)!.promise
    })
    kernel.tellOfRules()
    await pass()
    kernel.tellOfRules()
    await pass()
    assert.equal(looks.length, 1)
    looks[0]!.resolve()
    await turn()
    await pass()
    assert.equal(looks.length, 2)
  })

  test('says once what is wrong, and goes on', async t => {
    let message = 'no nftables'
    const { kernel, said, pass } = box(t, async () => {
      if (message) throw new Error(message)
    })
    for (message of ['no nftables', 'no nftables', '', 'no nftables']) {
      kernel.tellOfRules()
      await pass()
    }
    const line = "The firewall's rules cannot be looked after: no nftables"
    assert.deepEqual(said, [line, line])
  })

  test('hears nothing once it is closed', async t => {
    let looks = 0
    const { kernel, guard, pass } = box(t, async () => void looks++)
    kernel.tellOfRules()
    guard.close()
    kernel.tellOfRules()
    await pass()
    assert.equal(looks, 0)
  })

  test('says so where the kernel tells nothing', t => {
    const said: string[] = []
    const whenRulesChange = () => {
      throw new Error('EPROTONOSUPPORT: nftables events')
    }
    new RulesGuard({ whenRulesChange }, { mend: async () => t.assert.fail(), say: line => said.push(line) }).close()
    assert.match(said.join(), /cannot be heard here \(EPROTONOSUPPORT: nftables events\)/)
  })
})
