/** A table of the firewall as a number: another one after each change of it, and the same whatever happens beside it. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { parseSubnet } from '../../src/engine/networks/address.ts'
import { bridgeElements, setTypes, tableText } from '../../src/engine/networks/firewall.ts'
import { firewallDigest, firewallGeneration, runNft } from '../../src/runtime/native.ts'
import { eventually } from '../support/eventually.ts'

const name = `tscdigest${process.pid}`
const bridge = {
  bridge: `tscd${process.pid}`.slice(0, 15),
  internal: false,
  icc: true,
  masquerade: [parseSubnet('10.99.0.0/24')!],
}

test('firewallDigest()', t => {
  const digest = () => firewallDigest(name, Object.keys(setTypes))
  const other = `${name}other`
  t.after(() => {
    for (const table of [name, other]) runNft(`add table inet ${table}\ndelete table inet ${table}\n`)
  })
  assert.equal(digest(), undefined, 'no such table')
  runNft(tableText(name, bridgeElements(bridge)))
  const first = digest()
  assert.equal(typeof first, 'bigint')
  runNft(`add table inet ${other}\nadd chain inet ${other} c\nadd rule inet ${other} c drop\n`)
  assert.equal(digest(), first, 'what is beside it')
  const changes = {
    'a rule more': `add rule inet ${name} into drop`,
    'an element more': `add element inet ${name} any4 { tcp . 65001 : 10.99.0.2 . 80 }`,
    'an element that leads elsewhere': `delete element inet ${name} any4 { tcp . 65001 }\nadd element inet ${name} any4 { tcp . 65001 : 10.99.0.3 . 80 }`,
    'a chain without rules': `flush chain inet ${name} raw`,
    'an element less': `delete element inet ${name} bridges { "${bridge.bridge}" }`,
    'a table that is asleep': `add table inet ${name} { flags dormant; }`,
  }
  const seen = [first]
  for (const [what, change] of Object.entries(changes)) {
    runNft(change)
    const now = digest()
    assert.equal(digest(), now, what)
    assert.ok(typeof now === 'bigint' && !seen.includes(now), what)
    seen.push(now)
  }
  runNft(`delete table inet ${name}`)
  assert.equal(digest(), undefined, 'it is gone')
})

test('firewallDigest() is the same while others change their tables all the time', async t => {
  const [own, other] = [`${name}own`, `${name}busy`]
  const source = `
    import { runNft } from ${JSON.stringify(new URL('../../src/runtime/native.ts', import.meta.url).href)}
    for (;;) runNft('add table inet ${other}\\nadd chain inet ${other} c\\ndelete table inet ${other}\\n')
  `
  const changing = spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: 'ignore' })
  t.after(async () => {
    changing.kill('SIGKILL')
    await once(changing, 'exit')
    for (const table of [own, other]) runNft(`add table inet ${table}\ndelete table inet ${table}\n`)
  })
  runNft(tableText(own, bridgeElements(bridge)))
  const before = firewallGeneration()
  await eventually('others to change their tables', () => firewallGeneration() !== before)
  const seen = new Set(Array.from({ length: 300 }, () => firewallDigest(own, Object.keys(setTypes))))
  assert.deepEqual(
    [...seen].map(each => typeof each),
    ['bigint'],
  )
})
