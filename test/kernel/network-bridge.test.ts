/** Bridges, sandboxes, published ports, isolation and names, on the kernel. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import packet from 'dns-packet'
import { Events } from '../../src/engine/base/events.ts'
import { Paths } from '../../src/engine/base/paths.ts'
import type { Attachment } from '../../src/engine/networks/attachment.ts'
import { endpointRequest } from '../../src/engine/networks/endpoint-request.ts'
import { tableText } from '../../src/engine/networks/firewall.ts'
import { Networks } from '../../src/engine/networks/networks.ts'
import { newId } from '../../src/lib/ids.ts'
import { createRuntime } from '../../src/runtime/kernel-runtime.ts'
import { runNft, socketIn } from '../../src/runtime/native.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import { command } from '../support/command.ts'
import { eventually } from '../support/eventually.ts'
import { lacking, program, root } from '../support/needs.ts'
import { patience } from '../support/patience.ts'
import { leftOver, ownGroups, takeStock } from '../support/stock.ts'

const skip = lacking(root(), program('ip'), program('nft'), program('nsenter'))

/** A sandbox with a server in it that greets with its name and the address it sees. */
interface Box {
  readonly id: string
  readonly name: string
  readonly path: string
  readonly attachments: Attachment[]
  readonly address: string
  close(): Promise<void>
}

describe('networks on the kernel', { skip, timeout: 60_000 * patience }, () => {
  let folder: string
  let runtime: Runtime
  let networks: Networks
  let paths: Paths
  const boxes: Box[] = []
  const mark = newId().slice(0, 6)
  const lan = { netns: `tscl${mark}`, link: `tscl${mark}`, host: '10.98.77.1', neighbour: '10.98.77.2' }

  async function box(
    name: string,
    on: readonly string[],
    { aliases = [], ipv4Address }: { readonly aliases?: readonly string[]; readonly ipv4Address?: string } = {},
  ): Promise<Box> {
    const id = newId()
    const attachments = await networks.attach(
      { id, name },
      on.map(network => ({ ...endpointRequest(network), aliases: [...aliases], ipv4Address })),
    )
    const path = paths.sandbox(id)
    await runtime.runHost({
      kind: 'host',
      operations: [{ kind: 'create-sandbox', path, interfaces: attachments.map(a => a.interface) }],
    })
    await networks.dns.serve(path, id)
    const server: Server = createServer(socket => {
      socket.on('error', () => undefined)
      socket.end(`${name} ${socket.remoteAddress}\n`)
    })
    server.listen({ fd: socketIn(path, 'tcp', '0.0.0.0', 8080) })
    const made = {
      id,
      name,
      path,
      attachments,
      address: attachments[0]!.ipv4!.split('/')[0]!,
      async close() {
        server.close()
        networks.dns.stop(path)
        await networks.detach(id)
        await runtime.runHost({ kind: 'host', operations: [{ kind: 'delete-sandbox', path }] })
      },
    }
    boxes.push(made)
    return made
  }

  /** What a TCP server says to who calls from a namespace (undefined: the host); undefined when it cannot be reached. */
  async function call(from: string | undefined, address: string, port: number): Promise<string | undefined> {
    const script = `exec 3<>/dev/tcp/${address}/${port} && cat <&3`
    const inside = from === undefined ? [] : ['nsenter', `--net=${from}`]
    const [name, ...argv] = [...inside, 'timeout', '1', 'bash', '-c', script]
    const { code, stdout } = await command(name!, argv)
    return code === 0 ? stdout.trim() : undefined
  }

  async function lookUp(from: Box, name: string, type: packet.StringRecordType = 'A') {
    const socket = createSocket('udp4')
    const { promise, resolve } = Promise.withResolvers<Buffer>()
    socket.on('message', resolve)
    socket.bind({ fd: socketIn(from.path, 'udp', '127.0.0.1', 0) })
    socket.send(packet.encode({ type: 'query', id: 7, questions: [{ type, name }] }), 53, '127.0.0.11')
    const answer = packet.decode(await promise)
    socket.close()
    return {
      rcode: (answer as unknown as { rcode: string }).rcode,
      data: answer.answers?.map(record => ('data' in record ? String(record.data) : '')),
    }
  }

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tscn-'))
    paths = new Paths({ data: join(folder, 'data'), run: join(folder, 'run'), netns: join(folder, 'netns') })
    runtime = await createRuntime({ netns: paths.roots.netns, cgroupParent: paths.name.full, title: paths.name.short })
    networks = await Networks.open({ paths, runtime, events: new Events() })
    for (const line of [
      `netns add ${lan.netns}`,
      `link add ${lan.link} type veth peer name eth0 netns ${lan.netns}`,
      `addr add ${lan.host}/24 dev ${lan.link}`,
      `link set ${lan.link} up`,
      `-n ${lan.netns} addr add ${lan.neighbour}/24 dev eth0`,
      `-n ${lan.netns} link set eth0 up`,
      `-n ${lan.netns} link set lo up`,
      `-n ${lan.netns} route add default via ${lan.host}`,
    ]) {
      const { code, stderr } = await command('ip', line.split(' '))
      assert.equal(code, 0, stderr)
    }
    await networks.create({ Name: 'front' })
    await networks.create({ Name: 'back' })
    await networks.create({ Name: 'closed', Internal: true })
  })

  after(async () => {
    for (const each of boxes) await each.close()
    for (const { Name } of networks.list()) if (!['bridge', 'host', 'none'].includes(Name)) await networks.remove(Name)
    await networks.close()
    await runtime.close()
    await command('ip', ['link', 'del', lan.link])
    await command('ip', ['netns', 'del', lan.netns])
    await command('umount', [paths.roots.netns])
    await rm(folder, { recursive: true, force: true })
    // its nursery ends when it sees that nobody is there any more
    await eventually('nothing to be left', async () => {
      assert.deepEqual(leftOver(undefined, await takeStock(paths.roots)), {})
      return true
    })
    assert.deepEqual(ownGroups(paths.roots), [])
  })

  test('two containers of a network reach each other and resolve each other by name, alias and reverse', async () => {
    const web = await box('web', ['front'])
    const api = await box('api', ['front', 'back'], { aliases: ['service'] })
    assert.equal(await call(web.path, api.address, 8080), `api ${web.address}`)
    assert.deepEqual(await lookUp(web, 'api'), { rcode: 'NOERROR', data: [api.address] })
    assert.deepEqual(await lookUp(web, 'service.front'), { rcode: 'NOERROR', data: [api.address] })
    assert.deepEqual(await lookUp(web, 'api', 'AAAA'), { rcode: 'NOERROR', data: [] })
    const reverse = `${api.address.split('.').reverse().join('.')}.in-addr.arpa`
    assert.deepEqual(await lookUp(web, reverse, 'PTR'), { rcode: 'NOERROR', data: ['api.front'] })
  })

  test('a container of one network neither reaches nor resolves one of another', async () => {
    const web = boxes.find(({ name }) => name === 'web')!
    const db = await box('db', ['back'])
    assert.equal(await call(web.path, db.address, 8080), undefined)
    assert.deepEqual(await lookUp(web, 'db'), { rcode: 'NXDOMAIN', data: [] })
    const api = boxes.find(({ name }) => name === 'api')!
    assert.equal((await call(api.path, db.address, 8080))?.split(' ')[0], 'db')
  })

  test('what another engine would masquerade of the same subnet keeps its source on our bridge', async t => {
    const [web, api] = ['web', 'api'].map(name => boxes.find(each => each.name === name)!)
    const table = `tscl${mark}`
    const subnet = networks.inspect('front').IPAM.Config![0]!.Subnet!
    const elements = [
      { set: 'bridges', key: '"tscl-none"' },
      { set: 'masquerade4', key: subnet },
    ] as const
    t.after(() => runNft(`delete table inet ${table}\n`))
    runNft(tableText(table, elements))
    assert.equal(await call(web!.path, api!.address, 8080), `api ${web!.address}`)
  })

  test('a container reaches other hosts, and they see the address of this one', async () => {
    const web = boxes.find(({ name }) => name === 'web')!
    const server = createServer(socket => socket.end(`lan ${socket.remoteAddress}\n`))
    server.listen({ fd: socketIn(`/run/netns/${lan.netns}`, 'tcp', lan.neighbour, 9000) })
    try {
      assert.equal(await call(web.path, lan.neighbour, 9000), `lan ${lan.host}`)
    } finally {
      server.close()
    }
  })

  test('a published port is reached from loopback, own address, another host and containers of any network', async () => {
    const web = boxes.find(({ name }) => name === 'web')!
    const db = boxes.find(({ name }) => name === 'db')!
    const [port] = await networks.publish(web.id, { '8080/tcp': [{ HostIp: '', HostPort: '' }] })
    assert.equal(port!.hostIp, '0.0.0.0')
    const outside = `/run/netns/${lan.netns}`
    assert.match((await call(undefined, '127.0.0.1', port!.hostPort)) ?? '', /^web /)
    assert.match((await call(undefined, lan.host, port!.hostPort)) ?? '', /^web /)
    assert.equal(await call(outside, lan.host, port!.hostPort), `web ${lan.neighbour}`)
    assert.equal(await call(db.path, lan.host, port!.hostPort), `web ${db.address}`)
    const near = await box('near', ['front'])
    assert.match((await call(near.path, lan.host, port!.hostPort)) ?? '', /^web /)
  })

  test('what is not published, and what is published otherwise, is out of reach of other hosts by the container address', async () => {
    const outside = `/run/netns/${lan.netns}`
    for (const name of ['web', 'db'])
      assert.equal(await call(outside, boxes.find(each => each.name === name)!.address, 8080), undefined)
  })

  test('a port published on loopback is reached from the host alone', async () => {
    const db = boxes.find(({ name }) => name === 'db')!
    const web = boxes.find(({ name }) => name === 'web')!
    const [port] = await networks.publish(db.id, { '8080/tcp': [{ HostIp: '127.0.0.1' }] })
    assert.match((await call(undefined, '127.0.0.1', port!.hostPort)) ?? '', /^db /)
    assert.equal(await call(undefined, lan.host, port!.hostPort), undefined)
    const outside = `/run/netns/${lan.netns}`
    assert.equal(await call(outside, lan.host, port!.hostPort), undefined)
    assert.equal(await call(web.path, lan.host, port!.hostPort), undefined)
    assert.equal(await call(web.path, web.attachments[0]!.gateway!, port!.hostPort), undefined)
    // as CVE-2020-8558 has it: 127.0.0.1 on the wire
    await command('nsenter', [
      `--net=${outside}`,
      'sh',
      '-c',
      'echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet; ip addr del 127.0.0.1/8 dev lo; ip route add 127.0.0.1/32 via 10.98.77.1 dev eth0 src 10.98.77.2',
    ])
    assert.equal(await call(outside, '127.0.0.1', port!.hostPort), undefined)
  })

  test('an internal network has no way out, no way in and asks nobody outside', async () => {
    const inner = await box('inner', ['closed'])
    const other = await box('other', ['closed'])
    const web = boxes.find(({ name }) => name === 'web')!
    assert.equal(await call(inner.path, other.address, 8080), `other ${inner.address}`)
    assert.equal(await call(web.path, inner.address, 8080), undefined)
    assert.deepEqual(inner.attachments[0]!.interface.gateways, [])
    await command('nsenter', [
      `--net=${inner.path}`,
      'ip',
      'route',
      'add',
      'default',
      'via',
      inner.address.replace(/\d+$/, '1'),
    ])
    assert.equal(await call(inner.path, web.address, 8080), undefined)
    assert.deepEqual(await lookUp(inner, 'example.test'), { rcode: 'SERVFAIL', data: [] })
    assert.deepEqual(await networks.publish(inner.id, { '8080/tcp': [{}] }), [])
  })

  test('a container with its own name server on 0.0.0.0:53 still has ours at 127.0.0.11', async () => {
    const dns = await box('dns', ['front'])
    await networks.dns.serve(dns.path, dns.id, { ownNameServer: true })
    const own = createSocket('udp4')
    own.bind({ fd: socketIn(dns.path, 'udp', '0.0.0.0', 53) })
    try {
      assert.deepEqual((await lookUp(dns, 'web')).data, [boxes.find(({ name }) => name === 'web')!.address])
    } finally {
      own.close()
    }
  })

  test('connect() and disconnect() give a running container another network and take it back', async () => {
    const web = boxes.find(({ name }) => name === 'web')!
    const db = boxes.find(({ name }) => name === 'db')!
    const attachment = await networks.connect({ id: web.id, name: 'web' }, endpointRequest('back'), {
      sandbox: web.path,
    })
    assert.equal(attachment.interface.name, 'eth1')
    assert.equal((await call(web.path, db.address, 8080))?.split(' ')[0], 'db')
    await networks.disconnect('back', web.id, web.path)
    assert.equal(await call(web.path, db.address, 8080), undefined)
  })

  test('an interface without IPv6 address has IPv6 switched off', async () => {
    const web = boxes.find(({ name }) => name === 'web')!
    const { stdout } = await command('nsenter', [
      `--net=${web.path}`,
      'cat',
      '/proc/sys/net/ipv6/conf/eth0/disable_ipv6',
    ])
    assert.equal(stdout.trim(), '1')
    const bridge = web.attachments[0]!.interface.bridge
    assert.equal(readFileSync(`/proc/sys/net/ipv6/conf/${bridge}/disable_ipv6`, 'utf8').trim(), '1')
  })

  test('a bridge that was there before us is used, and stays when its network goes', async () => {
    const name = `tscb${mark}`
    assert.equal((await command('ip', ['link', 'add', name, 'type', 'bridge'])).code, 0)
    try {
      await networks.create({ Name: 'foreign', Options: { 'com.docker.network.bridge.name': name } })
      await networks.remove('foreign')
      assert.equal((await command('ip', ['link', 'show', name])).code, 0)
    } finally {
      await command('ip', ['link', 'del', name])
    }
  })

  test('whoever has the address of one that has gone is reached at once: neighbours know where it is', async () => {
    await networks.create({ Name: 'again', IPAM: { Config: [{ Subnet: '10.98.79.0/24' }] } })
    const one = { ipv4Address: '10.98.79.9' }
    await box('neighbour', ['again'])
    // as if the kernel took its time to let go of the namespaces
    const held: number[] = []
    try {
      for (const name of ['first', 'second']) {
        const { address, close, path } = await box(name, ['again'], one)
        held.push(openSync(path, 'r'))
        try {
          for (const from of [undefined, boxes.find(each => each.name === 'neighbour')!.path])
            assert.match((await call(from, address, 8080)) ?? 'nobody', new RegExp(`^${name} `))
        } finally {
          await close()
          boxes.pop()
        }
      }
    } finally {
      for (const fd of held) closeSync(fd)
      await boxes.pop()?.close()
      await networks.remove('again')
    }
  })

  test('a next engine takes over what is attached and published, and cleans up after it', async () => {
    const web = boxes.find(({ name }) => name === 'web')!
    const ports = networks.ports(web.id)
    assert.ok(ports.length > 0)
    const next = await Networks.open({ paths, runtime, events: new Events() })
    const saved = JSON.parse(JSON.stringify({ attachments: networks.attachments(web.id), ports }))
    await networks.close()
    for (const each of boxes) {
      const state = { attachments: networks.attachments(each.id), ports: networks.ports(each.id) }
      await next.adopt({ id: each.id, name: each.name }, each.id === web.id ? saved : state)
      await next.dns.serve(each.path, each.id)
    }
    await next.settle()
    networks = next
    assert.match((await call(undefined, '127.0.0.1', ports[0]!.hostPort)) ?? '', /^web /)
    assert.deepEqual((await lookUp(web, 'api')).data, [boxes.find(({ name }) => name === 'api')!.address])
  })
})
