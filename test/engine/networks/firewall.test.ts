import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { parseSubnet } from '../../../src/engine/networks/address.ts'
import {
  bridgeElements,
  elementsText,
  Firewall,
  isWhole,
  portElement,
  portElements,
  tableText,
} from '../../../src/engine/networks/firewall.ts'
import { Ruleset } from '../../../src/engine/networks/ruleset.ts'
import { isFailure } from '../../../src/lib/failure.ts'

const port = { protocol: 'tcp', containerPort: 80, hostIp: '0.0.0.0', hostPort: 8080, address: '10.1.0.2' } as const
const bridge = { bridge: 'tsc-1', internal: false, icc: true, masquerade: [parseSubnet('10.1.0.0/24')!] }

const elements = [...bridgeElements(bridge), portElement(port)]
/** As `nft --handle list table` prints the table of these. */
const listing = `table inet t { # handle 3
\tset bridges { # handle 8
\t\ttype ifname
\t\telements = { "tsc-1" }
\t}

\tset internal { # handle 9
\t\ttype ifname
\t}

\tset same { # handle 10
\t\ttype ifname . ifname
\t\telements = { "tsc-1" . "tsc-1" }
\t}

\tset masquerade4 { # handle 11
\t\ttype ipv4_addr
\t\tflags interval
\t\telements = { 10.1.0.0/24 }
\t}

\tmap any4 { # handle 14
\t\ttype inet_proto . inet_service : ipv4_addr . inet_service
\t\telements = { tcp . 81 : 10.1.0.2 . 8080,
\t\t\t     tcp . 8080 : 10.1.0.2 . 80 }
\t}

${Array.from({ length: 27 }, (_, i) => `\t\trule ${i} # handle ${20 + i}`).join('\n')}
}
`

describe('isWhole()', () => {
  test('finds every element in its set, and every rule', () => {
    assert.ok(isWhole(listing, elements))
    assert.ok(!isWhole(listing, [...elements, portElement({ ...port, hostPort: 81 })]), 'another target')
    assert.ok(!isWhole(listing, [...elements, { set: 'internal', key: '"tsc-1"' }]), 'another set')
    assert.ok(!isWhole(listing.replace('\t\trule 7 # handle 27\n', ''), elements), 'a rule less')
    assert.ok(!isWhole('', elements))
  })
})

describe('portElement()', () => {
  test('puts a port of every address in one map and one of a given address in another', () => {
    assert.deepEqual(portElement(port), { set: 'any4', key: 'tcp . 8080', value: '10.1.0.2 . 80' })
    assert.deepEqual(portElement({ ...port, hostIp: '127.0.0.1', protocol: 'udp' }), {
      set: 'ports4',
      key: 'udp . 127.0.0.1 . 8080',
      value: '10.1.0.2 . 80',
    })
    assert.equal(portElement({ ...port, hostIp: '::', address: 'fd00::2' }).set, 'any6')
  })

  test('comes with the right to call itself by it, for what stands behind it', () => {
    const self = { set: 'self4', key: '10.1.0.2 . 10.1.0.2' }
    assert.deepEqual(portElements(port), [portElement(port), self])
    const six = { ...port, hostIp: '::', address: 'fd00::2' }
    assert.deepEqual(portElements(six), [portElement(six), { set: 'self6', key: 'fd00::2 . fd00::2' }])
  })

  test('of datagrams to every address is known by its number too, and one of the other family by that alone', () => {
    const udp = { ...port, protocol: 'udp' } as const
    assert.deepEqual(portElements(udp).at(-1), { set: 'datagrams4', key: '8080' })
    assert.equal(portElements({ ...udp, hostIp: '127.0.0.1' }).length, 2)
    assert.deepEqual(portElements({ ...udp, hostIp: '::' }), [{ set: 'relayed6', key: '8080' }])
    assert.deepEqual(portElements({ ...port, hostIp: '::' }), [])
  })

  for (const [what, change] of [
    ['an address with a rule in it', { hostIp: '0.0.0.0; flush ruleset' }],
    ['a target that is no address', { address: 'web' }],
    ['a port out of range', { hostPort: 65536 }],
    ['a port that is no number', { containerPort: Number.NaN }],
    ['two families', { address: 'fd00::2' }],
  ] as const)
    test(`refuses ${what}`, () =>
      assert.throws(
        () => portElement({ ...port, ...change }),
        error => isFailure(error),
      ))
})

describe('bridgeElements()', () => {
  test('an internal network is neither masqueraded nor let out', () => {
    const sets = bridgeElements({ ...bridge, internal: true }).map(({ set }) => set)
    assert.deepEqual(sets, ['bridges', 'internal', 'same'])
  })
  for (const name of ['a"; flush ruleset', 'a*', '', 'sixteen-letters-', 'a b', '-a'])
    test(`refuses ${JSON.stringify(name)} as a bridge`, () =>
      assert.throws(
        () => bridgeElements({ ...bridge, bridge: name }),
        error => isFailure(error, 'invalid'),
      ))
})

test('elementsText() is one command a set, and deletes map elements by their key', () => {
  const other = portElement({ ...port, hostPort: 8081 })
  assert.equal(
    elementsText('t', 'add', [portElement(port), other]),
    'add element inet t any4 { tcp . 8080 : 10.1.0.2 . 80, tcp . 8081 : 10.1.0.2 . 80 }\n',
  )
  assert.equal(elementsText('t', 'delete', [portElement(port)]), 'delete element inet t any4 { tcp . 8080 }\n')
})

describe('Firewall', () => {
  /** A kernel with one table, of which it keeps no more than that it is whole. */
  async function firewall(context: { after(done: () => Promise<void>): void }) {
    const folder = await mkdtemp(join(tmpdir(), 'tscf-'))
    context.after(() => rm(folder, { recursive: true }))
    /** Changes of the rules, and what the engine says. */
    const changes: string[] = []
    const said: string[] = []
    const others = { generation: 1, isFlushed: false, looks: 0, digest: undefined as bigint | undefined }
    const marker = join(folder, 'firewall')
    const kernel = {
      firewallGeneration: () => others.generation,
      firewallDigest: () => others.digest,
      runNft: (text: string) => {
        if (text.startsWith('list ')) {
          others.looks++
          return others.isFlushed ? assert.fail('No such file or directory') : listing
        }
        changes.push(text)
        others.generation++
        if (text.includes('table inet t {')) others.isFlushed = false
        return ''
      },
    }
    const options = () => ({ table: 't', marker, rules: new Ruleset(kernel), say: (line: string) => said.push(line) })
    return { changes, said, others, marker, next: () => new Firewall(options()), wall: new Firewall(options()) }
  }

  test('writes the table whole once, then changes of one turn as one transaction', async t => {
    const { changes, wall } = await firewall(t)
    wall.want('network', bridgeElements(bridge))
    await wall.flush()
    assert.deepEqual(changes, [tableText('t', bridgeElements(bridge))])
    wall.want('a', [portElement(port)])
    const first = wall.flush()
    wall.want('b', [portElement({ ...port, hostPort: 8081 })])
    await Promise.all([first, wall.flush()])
    assert.deepEqual(changes.slice(1), [
      elementsText('t', 'add', [portElement(port), portElement({ ...port, hostPort: 8081 })]),
    ])
    wall.want('a', [])
    await wall.flush()
    assert.equal(changes.at(-1), elementsText('t', 'delete', [portElement(port)]))
  })

  test('says nothing when nothing has changed, and removes the table with the last wish', async t => {
    const { changes, wall, marker } = await firewall(t)
    await wall.flush()
    assert.deepEqual(changes, [])
    wall.want('network', bridgeElements(bridge))
    await wall.flush()
    await wall.flush()
    assert.equal(changes.length, 1)
    assert.ok(existsSync(marker))
    wall.want('network', [])
    await wall.flush()
    assert.match(changes.at(-1)!, /delete table inet t/)
    assert.ok(!existsSync(marker))
  })

  test('writes the table anew, and says so, when it was flushed by others', async t => {
    const { changes, said, others, wall } = await firewall(t)
    wall.want('network', bridgeElements(bridge))
    await wall.flush()
    others.isFlushed = true
    others.generation++
    await wall.flush()
    assert.equal(changes.at(-1), tableText('t', bridgeElements(bridge)))
    assert.deepEqual(said, ['The firewall table "t" was not whole; it is written anew'])
    await wall.flush()
    assert.equal(said.length, 1)
  })

  test('reads the table once for what others change beside it, and again when it is not what it was', async t => {
    const { others, changes, wall } = await firewall(t)
    wall.want('network', bridgeElements(bridge))
    await wall.flush()
    others.digest = 7n
    for (let i = 0; i < 3; i++) {
      others.generation++
      await wall.flush()
    }
    assert.equal(others.looks, 1)
    // somebody changed it, and what is ours is still there
    others.digest = 8n
    others.generation++
    await wall.flush()
    assert.equal(others.looks, 2)
    // we did: what it is by now nobody knows before it is read
    wall.want('a', [portElement(port)])
    await wall.flush()
    others.generation++
    await wall.flush()
    assert.equal(others.looks, 3)
    assert.equal(changes.length, 2)
    others.digest = undefined
    others.isFlushed = true
    others.generation++
    await wall.flush()
    assert.equal(changes.length, 3, 'it is written again')
  })

  test('looks at the table only when others have changed rules', async t => {
    const { changes, said, others, wall } = await firewall(t)
    wall.want('network', bridgeElements(bridge))
    await wall.flush()
    wall.want('a', [portElement(port)])
    await wall.flush()
    assert.equal(others.looks, 0)
    others.generation++
    await wall.flush()
    assert.equal(others.looks, 1)
    await wall.flush()
    assert.equal(others.looks, 1)
    assert.equal(changes.length, 2)
    assert.deepEqual(said, [])
  })

  test('replaces what an earlier engine left, and says nothing when it was whole', async t => {
    const { wall, next, changes, said, others } = await firewall(t)
    wall.want('network', bridgeElements(bridge))
    await wall.flush()
    const second = next()
    second.want('network', bridgeElements(bridge))
    await second.flush()
    assert.deepEqual(said, [])
    others.isFlushed = true
    const third = next()
    third.want('network', bridgeElements(bridge))
    await third.flush()
    assert.equal(said.length, 1)
    await next().flush()
    assert.match(changes.at(-1)!, /delete table inet t/)
  })
})
