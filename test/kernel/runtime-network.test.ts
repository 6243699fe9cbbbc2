import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFile, rmdir } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createRuntime } from '../../src/runtime/kernel-runtime.ts'
import { socketIn } from '../../src/runtime/native.ts'
import type { InterfaceSpec } from '../../src/runtime/spec.ts'
import { Box, kernelSkip } from './runtime-box.ts'

const tag = (process.pid % 0xffff).toString(16)
/** A subnet of its own, so that two runs at once do not meet. */
const net = 10 + (process.pid % 200)

/** MAC addresses in a table of /proc/net/arp. */
function neighbours(text: string): ReadonlySet<string> {
  return new Set(text.match(/([0-9a-f]{2}:){5}[0-9a-f]{2}/g))
}

describe('Runtime networks', { skip: kernelSkip() }, () => {
  let box: Box
  const bridge = `tk${tag}`
  let serial = 1
  const link = (change: Partial<InterfaceSpec> = {}): InterfaceSpec => {
    const n = ++serial
    return {
      host: `v${tag}x${n}`,
      name: 'eth0',
      bridge,
      mac: `02:42:0a:f3:5b:${n.toString(16).padStart(2, '0')}`,
      addresses: [`10.243.${net}.${n}/24`],
      gateways: [`10.243.${net}.1`],
      mtu: 1500,
      isolated: false,
      hairpin: false,
      sysctls: [],
      cause: 'test',
      ...change,
    }
  }
  const withLinks = async (args: readonly string[], ...interfaces: readonly InterfaceSpec[]) => {
    const spec = await box.spec(args)
    assert.ok(spec.network.kind === 'create')
    return { ...spec, network: { ...spec.network, interfaces } }
  }

  before(async () => {
    box = await Box.open()
    await box.host({
      kind: 'create-bridge',
      name: bridge,
      addresses: [`10.243.${net}.1/24`, `fd00:243:${net}::1/64`],
      mtu: 1500,
      mac: '02:42:aa:bb:cc:dd',
    })
  })
  after(async () => {
    await box.host({ kind: 'delete-link', name: bridge })
    await box[Symbol.asyncDispose]()
  })

  it('deletes an interface that somebody else takes away at the same moment', async () => {
    const name = `tg${tag}`
    const mac = '02:42:aa:bb:cc:de'
    for (let round = 0; round < 40; round++) {
      await box.host({ kind: 'create-bridge', name, addresses: [], mtu: 1500, mac })
      await Promise.all(Array.from({ length: 4 }, () => box.host({ kind: 'delete-link', name })))
    }
  })

  it('connects containers to each other and to the bridge', async () => {
    const first = link()
    await box.start(await withLinks(['sleep', '1000'], first))
    const address = first.addresses[0]!.split('/')[0]!
    const { stdout } = await box.run(
      await withLinks(
        [
          'sh',
          '-c',
          `ip addr show eth0; ip route; ping -c 1 -W 1 ${address} >/dev/null; cat /proc/net/arp; ping -c 1 -W 2 10.243.${net}.1`,
        ],
        link(),
      ),
    )
    assert.match(stdout, /link\/ether 02:42:0a:f3:5b:03/)
    assert.match(stdout, new RegExp(`inet 10\\.243\\.${net}\\.3/24 brd 10\\.243\\.${net}\\.255`))
    assert.match(stdout, new RegExp(`default via 10\\.243\\.${net}\\.1 dev eth0`))
    // the host's firewall may stop the packet, but not the question who has the address
    assert.ok(neighbours(stdout).has(first.mac), stdout)
    assert.match(stdout, /1 packets received/)
    assert.doesNotMatch(stdout, /inet6/)
  })

  it('has IPv6 only where it was asked for', async () => {
    const six = link({
      addresses: [`10.243.${net}.50/24`, `fd00:243:${net}::50/64`],
      gateways: [`10.243.${net}.1`, `fd00:243:${net}::1`],
    })
    const { stdout } = await box.run(
      await withLinks(['sh', '-c', `ip addr show eth0; ip -6 route; ping -c 1 -W 2 fd00:243:${net}::1`], six),
    )
    assert.match(stdout, /inet6 fd00:243:\d+::50\/64/)
    assert.match(stdout, /default via fd00:243:\d+::1/)
    assert.match(stdout, /1 packets received/)
  })

  it('shows the sandbox to `ip netns`, shares it, connects and disconnects it while it runs', async () => {
    const spec = await withLinks(['sleep', '1000'])
    assert.ok(spec.network.kind === 'create')
    const { path } = spec.network
    await box.start(spec)
    const extra = link({ name: 'net1', gateways: [] })
    await box.host({ kind: 'connect', path, interface: extra })
    const name = path.split('/').at(-1)!
    assert.match(
      execFileSync('ip', ['netns', 'exec', name, 'ip', 'addr', 'show', 'net1'], { encoding: 'utf8' }),
      /10\.243\.\d+\./,
    )
    const joined = await box.spec(['ls', '/sys/class/net'])
    const { stdout } = await box.run({ ...joined, network: { kind: 'join', path } })
    assert.equal(stdout, 'lo\nnet1\n')
    await box.host({ kind: 'disconnect', path, name: 'net1' })
    assert.equal(
      (await box.run({ ...(await box.spec(['ls', '/sys/class/net'])), network: { kind: 'join', path } })).stdout,
      'lo\n',
    )
    assert.doesNotMatch(await readFile('/proc/net/dev', 'utf8'), new RegExp(extra.host))
  })

  it('keeps isolated ports apart but for the bridge', async () => {
    const first = link({ isolated: true })
    await box.start(await withLinks(['sleep', '1000'], first))
    const address = first.addresses[0]!.split('/')[0]!
    const { stdout } = await box.run(
      await withLinks(
        ['sh', '-c', `ping -c 1 -W 1 ${address} >/dev/null; cat /proc/net/arp; ping -c 1 -W 2 10.243.${net}.1`],
        link({ isolated: true }),
      ),
    )
    assert.ok(!neighbours(stdout).has(first.mac), stdout)
    assert.match(stdout, /1 packets received/)
  })

  it('takes back what it made when a later interface fails, and nothing that was there before', async () => {
    const good = link()
    const spec = await withLinks(['true'], good, link({ bridge: 'nonesuch' }))
    await assert.rejects(box.start(spec), /Cannot connect ".*" to bridge "nonesuch": ENODEV/)
    assert.doesNotMatch(await readFile('/proc/net/dev', 'utf8'), new RegExp(`${good.host}:`))
    await assert.rejects(box.host({ kind: 'create-bridge', name: bridge, addresses: [], mtu: 0, mac: '' }), {
      kind: 'conflict',
    })
    assert.match(await readFile('/proc/net/dev', 'utf8'), new RegExp(`${bridge}:`))
  })

  it('makes the folder of sandboxes again when somebody has removed it', async () => {
    const netns = join(box.folder, 'netns')
    const runtime = await createRuntime({ netns, cgroupParent: box.prefix })
    try {
      for (const name of ['first', 'second']) {
        const operations = (kind: 'create-sandbox' | 'delete-sandbox') =>
          [{ kind, path: join(netns, name), interfaces: [] }] as const
        await runtime.runHost({ kind: 'host', operations: operations('create-sandbox') })
        assert.ok(runtime.hasSandbox(join(netns, name)))
        await runtime.runHost({ kind: 'host', operations: operations('delete-sandbox') })
        execFileSync('umount', [netns])
        await rmdir(netns)
      }
    } finally {
      await runtime.close()
    }
  })

  it('makes sockets inside a sandbox, and leaves the engine where it was', async () => {
    const path = `/run/netns/${box.prefix}-sandbox`
    await box.host({ kind: 'create-sandbox', path, interfaces: [] })
    try {
      const udp = createSocket('udp4')
      const listening = once(udp, 'listening')
      udp.bind({ fd: socketIn(path, 'udp', '127.0.0.11', 53) })
      await listening
      const tcp = createServer(socket => socket.end()).listen({ fd: socketIn(path, 'tcp', '127.0.0.11', 53) })
      await once(tcp, 'listening')
      assert.throws(() => socketIn(path, 'tcp', '127.0.0.11', 53), { code: 'EADDRINUSE' })
      const { stdout } = await box.run({
        ...(await box.spec(['sh', '-c', 'nc 127.0.0.11 53 </dev/null && echo open'])),
        network: { kind: 'join', path },
      })
      assert.equal(stdout, 'open\n')
      assert.match(await readFile('/proc/net/dev', 'utf8'), new RegExp(bridge))
      udp.close()
      tcp.close()
    } finally {
      await box.host({ kind: 'delete-sandbox', path })
    }
  })
})
