import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { EngineName } from '../../../src/engine/base/engine-name.ts'
import { parseSubnet } from '../../../src/engine/networks/address.ts'
import { DockerUser, dockerUserRules } from '../../../src/engine/networks/docker-user.ts'
import {
  bridgeElements,
  elementsText,
  Firewall,
  portElement,
  tableText,
} from '../../../src/engine/networks/firewall.ts'
import { isFailure } from '../../../src/lib/failure.ts'

const port = { protocol: 'tcp', containerPort: 80, hostIp: '0.0.0.0', hostPort: 8080, address: '10.1.0.2' } as const
const bridge = { bridge: 'tsc-1', internal: false, icc: true, masquerade: [parseSubnet('10.1.0.0/24')!] }

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
  async function firewall(context: { after(done: () => Promise<void>): void }, run?: (text: string) => void) {
    const folder = await mkdtemp(join(tmpdir(), 'tscf-'))
    context.after(() => rm(folder, { recursive: true }))
    const said: string[] = []
    const marker = join(folder, 'firewall')
    const options = {
      table: 't',
      marker,
      run: (text: string) => {
        said.push(text)
        run?.(text)
      },
    }
    return { said, marker, options, wall: new Firewall(options) }
  }

  test('writes the table whole once, then changes of one turn as one transaction', async t => {
    const { said, wall } = await firewall(t)
    wall.want('network', bridgeElements(bridge))
    await wall.flush()
    assert.deepEqual(said, [tableText('t', bridgeElements(bridge))])
    wall.want('a', [portElement(port)])
    const first = wall.flush()
    wall.want('b', [portElement({ ...port, hostPort: 8081 })])
    await Promise.all([first, wall.flush()])
    assert.deepEqual(said.slice(1), [
      elementsText('t', 'add', [portElement(port), portElement({ ...port, hostPort: 8081 })]),
    ])
    wall.want('a', [])
    await wall.flush()
    assert.equal(said.at(-1), elementsText('t', 'delete', [portElement(port)]))
  })

  test('says nothing when nothing has changed, and removes the table with the last wish', async t => {
    const { said, wall, marker } = await firewall(t)
    await wall.flush()
    assert.deepEqual(said, [])
    wall.want('network', bridgeElements(bridge))
    await wall.flush()
    await wall.flush()
    assert.equal(said.length, 1)
    assert.ok(existsSync(marker))
    wall.want('network', [])
    await wall.flush()
    assert.match(said.at(-1)!, /delete table inet t/)
    assert.ok(!existsSync(marker))
  })

  test('writes the table anew when it was flushed by others', async t => {
    let broken = false
    const { said, wall } = await firewall(t, text => {
      if (broken && !text.includes('table inet t {')) throw new Error('No such file or directory')
    })
    wall.want('network', bridgeElements(bridge))
    await wall.flush()
    broken = true
    wall.want('a', [portElement(port)])
    await wall.flush()
    assert.equal(said.at(-1), tableText('t', [...bridgeElements(bridge), portElement(port)]))
  })

  test('replaces what an earlier engine left', async t => {
    const { wall, options, said } = await firewall(t)
    wall.want('network', bridgeElements(bridge))
    await wall.flush()
    const next = new Firewall(options)
    await next.flush()
    assert.match(said.at(-1)!, /delete table inet t/)
  })
})

describe('DockerUser', () => {
  const name = new EngineName('/run/tscompose', '/run/tscompose')
  const listed = (rules: readonly string[]) =>
    `table ip filter {\n\tchain DOCKER-USER { # handle 12\n${rules.map((rule, i) => `\t\t${rule.replace('counter', `counter packets ${i} bytes 7`)} # handle ${40 + i}`).join('\n')}\n\t}\n}\n`

  test('keeps packets to Docker’s bridges under Docker’s rules', async () => {
    const said: string[] = []
    await new DockerUser(name, commands => {
      said.push(commands)
      return listed([])
    }).allow(['tsc-0123', 'mine'], false)
    assert.deepEqual(said[0], 'list chain ip filter DOCKER-USER')
    // inserted from the last to the first
    assert.deepEqual(said[1]!.split('\n').slice(-4), [
      'insert rule ip filter DOCKER-USER iifname "mine" counter accept comment "tscompose"',
      'insert rule ip filter DOCKER-USER iifname "mine" oifname "br-*" counter return comment "tscompose"',
      'insert rule ip filter DOCKER-USER iifname "mine" oifname "docker*" counter return comment "tscompose"',
      'insert rule ip filter DOCKER-USER oifname "mine" counter accept comment "tscompose"',
    ])
  })

  test('leaves what holds already, and replaces its own rules only', async () => {
    const wanted = dockerUserRules(['tsc-*'], 'tscompose')
    const run = async (present: readonly string[]) => {
      const said: string[] = []
      await new DockerUser(name, commands => {
        said.push(commands)
        return listed(present)
      }).allow(['tsc-0123'], false)
      return said.slice(1).join('\n')
    }
    assert.equal(await run(wanted), '')
    const others = dockerUserRules(['tsc1a2b-*'], 'tscompose_1a2b3c4d')
    const changed = await run([...others, wanted[0]!])
    assert.deepEqual(
      changed.split('\n').filter(line => line.startsWith('delete')),
      [`delete rule ip filter DOCKER-USER handle ${40 + others.length}`],
    )
  })
})
