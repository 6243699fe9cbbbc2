import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Container } from '../../../src/engine/containers/container.ts'
import { connections } from '../../../src/engine/containers/verbs/drain.ts'
import { settlePorts } from '../../../src/engine/containers/verbs/hand-over.ts'

describe('settlePorts()', () => {
  /** All of a container that it looks at. */
  function container(name: string, portsSince: number | undefined, ...hostPorts: readonly number[]) {
    const ports = hostPorts.map(hostPort => ({ protocol: 'tcp', hostIp: '0.0.0.0', hostPort }))
    const it = {
      name,
      state: { ports, portsSince, stepsBack: undefined as boolean | undefined },
      note: (changes: object) => Object.assign(it.state, changes),
    }
    return it
  }
  const settled = (...list: readonly ReturnType<typeof container>[]) => {
    settlePorts(list as unknown as readonly Container[])
    return Object.fromEntries(list.map(({ name, state }) => [name, state.ports.map(port => port.hostPort)]))
  }

  test('gives a place that two say they have to the one that took it last', () => {
    const [old, next] = [container('old', undefined, 80, 81), container('new', 5, 80)]
    assert.deepEqual(settled(old, next), { old: [81], new: [80] })
    assert.equal(old.state.stepsBack, true)
    assert.equal(next.state.stepsBack, undefined)
    assert.deepEqual(settled(container('old', 7, 80), container('new', 5, 80)), { old: [80], new: [] })
  })

  test('leaves those alone that share nothing', () => {
    assert.deepEqual(settled(container('a', undefined, 80), container('b', 3, 81)), { a: [80], b: [81] })
  })
})

describe('connections()', () => {
  const line = (local: string, remote: string, state: string) =>
    `   0: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000 0 0 1`
  const of = (...rows: readonly string[]) =>
    connections(1, new Set([80]), async path =>
      Buffer.from(path.endsWith('/tcp') ? ['header', ...rows, ''].join('\n') : ''),
    )

  const rows = [
    ['an established one', '0200010A:0050', '0100010A:C350', '01', 1],
    ['one that is being accepted', '0200010A:0050', '0100010A:C350', '03', 1],
    ['one whose last bytes are on their way', '0200010A:0050', '0100010A:C350', '04', 1],
    ['one that has ended', '0200010A:0050', '0100010A:C350', '06', 0],
    ['one of which the other side has said all', '0200010A:0050', '0100010A:C350', '08', 1],
    ['one that both sides are closing', '0200010A:0050', '0100010A:C350', '0B', 1],
    ['the one that listens', '00000000:0050', '00000000:0000', '0A', 0],
    ['one to another port', '0200010A:0051', '0100010A:C350', '01', 0],
    ['one of a check within', '0100007F:0050', '0100007F:C350', '01', 0],
    ['one that the container has made', '0200010A:C350', '0100010A:0050', '01', 0],
  ] as const
  for (const [title, local, remote, state, count] of rows)
    test(`counts ${count} for ${title}`, async () => assert.equal(await of(line(local, remote, state)), count))

  test('counts those that stand among many that have ended', async () => {
    const [ended, open] = ['06', '01'].map(state => line('0200010A:0050', '0100010A:C350', state))
    assert.equal(await of(...Array(500).fill(ended), open!, ...Array(500).fill(ended), open!), 2)
  })

  test('reads IPv6 too, checks within left out', async () => {
    const six = (remote: string) => line('000080FE00000000FF005450D29D7BFE:0050', `${remote}:C350`, '01')
    const text = ['header', six('000080FE00000000FF005450D29D7BFF'), six('00000000000000000000000001000000')].join('\n')
    assert.equal(await connections(1, new Set([80]), async path => Buffer.from(path.endsWith('/tcp6') ? text : '')), 1)
  })

  test('finds none of a process that has ended', async () => assert.equal(await connections(2 ** 30, new Set([80])), 0))
})
