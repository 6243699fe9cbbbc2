/** Whatever others take away of what the engine has made in the kernel: it is seen, told once, made again, and the rest is managed. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { endpoints } from '../../src/api/endpoints.ts'
import { type Client, createClient } from '../../src/client/client.ts'
import { Paths } from '../../src/engine/base/paths.ts'
import { setTypes } from '../../src/engine/networks/firewall.ts'
import type { StepName, steps } from '../../src/runtime/steps.ts'
import { command } from '../support/command.ts'
import { TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { engineGroups, hierarchies } from '../support/groups.ts'
import { lacking, program, root } from '../support/needs.ts'
import { patience } from '../support/patience.ts'

const why = lacking(root(), program('busybox'), program('nft'), program('ip'), program('docker'))

/** Where things of container "web" are, and of its network "net". */
interface Found {
  readonly pid: number
  readonly sandbox: string
  readonly bridge: string
  readonly veth: string
  readonly table: string
  /** In each hierarchy. */
  readonly cgroups: readonly string[]
}

interface Row {
  readonly gone: (found: Found) => unknown
  readonly says: RegExp
  /** A bridge that is made again mends it on the way. */
  readonly byBridge?: true
}

/** Steps that a program runs on the host, where what they make may be found by others. */
type HostStep = { [N in StepName]: 'host' extends (typeof steps)[N]['phases'][number] ? N : never }[StepName]

async function run(line: string): Promise<string> {
  const [name = '', ...args] = line.split(' ')
  const said = await command(name, args)
  assert.equal(said.code, 0, `${line}: ${said.stderr}`)
  return said.stdout
}

const groupSays = /cgroup of "web" was not whole/
const bridgeSays = /Bridge ".+" of network "net" was not as it should be; it is made again/
const interfaceSays = /Interface "eth0" of "web" was off network "net"; it is made again/
const tableSays = /The firewall table ".+" was not whole; it is written anew/

/** Its processes stand in the first group of all, since a group of v2 whose own groups have controllers takes none. */
function removeGroup(folder: string): void {
  const first = hierarchies().find(mount => folder.startsWith(`${mount}/`))!
  for (const pid of readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean))
    writeFileSync(join(first, 'cgroup.procs'), pid)
  rmdirSync(folder)
}

/** Every step that makes something of the kernel: what is to be gone, in how many ways; or why there is nothing. */
const made: Readonly<Record<HostStep, Readonly<Record<string, Row>> | string>> = {
  supervise: 'the folder of a monitor: monitor-lost.test.ts',
  log: 'a file: damage.test.ts',
  stdio: 'a setting',
  'born-in': 'a setting',
  yield: 'a wait',
  'filter-devices': 'goes with its cgroup, and comes with it: cgroup-v2.test.ts',
  clone: 'a process, which ends by itself whenever it likes; its monitor: below',
  mkdir: {
    'its cgroups': { gone: ({ cgroups }) => cgroups.forEach(removeGroup), says: groupSays },
    'its cgroup of one hierarchy': {
      gone: ({ cgroups }) => removeGroup(cgroups.find(folder => folder.includes('freezer')) ?? cgroups[0]!),
      says: groupSays,
    },
  },
  rmdir: 'takes away',
  write: 'a value of what another step has made',
  'netns-home': 'shared with "ip netns": runtime-network.test.ts',
  'netns-new': 'lives as long as its processes',
  'netns-owned': 'lives as long as its processes',
  'netns-keep': {
    'the file of its namespace': {
      gone: async ({ sandbox }) => {
        await run(`umount ${sandbox}`)
        rmSync(sandbox)
      },
      says: /The network namespace of "web" was gone from ".+"; it is there again/,
    },
  },
  'netns-enter': 'makes nothing',
  'netns-leave': 'makes nothing',
  'netns-drop': 'takes away',
  bridge: { 'its bridge': { gone: ({ bridge }) => run(`ip link delete ${bridge}`), says: bridgeSays } },
  veth: { 'its interface': { gone: ({ veth }) => run(`ip link delete ${veth}`), says: interfaceSays } },
  port: {
    'the hairpin of its port': {
      gone: ({ veth }) => writeFileSync(`/sys/class/net/${veth}/brport/hairpin_mode`, '0'),
      says: interfaceSays,
      byBridge: true,
    },
    'the isolation of its port': {
      gone: ({ veth }) => writeFileSync(`/sys/class/net/${veth}/brport/isolated`, '0'),
      says: interfaceSays,
      byBridge: true,
    },
  },
  'link-up': {
    'the bridge in force': { gone: ({ bridge }) => run(`ip link set ${bridge} down`), says: bridgeSays },
    'its interface in force': { gone: ({ veth }) => run(`ip link set ${veth} down`), says: interfaceSays },
  },
  address: {
    'the address of its bridge': { gone: ({ bridge }) => run(`ip addr flush dev ${bridge}`), says: bridgeSays },
  },
  route: 'in the namespace of the container, which is its own',
  'link-delete': 'takes away',
  master: {
    'its place on the bridge': {
      gone: ({ veth }) => run(`ip link set ${veth} nomaster`),
      says: interfaceSays,
      byBridge: true,
    },
  },
  tree: 'in the mount namespace of the container',
  attributes: 'in the mount namespace of the container',
  'tree-of': 'in the mount namespace of the container',
  'map-ids': 'in the mount namespace of the container',
  'user-new': 'lives as long as its processes',
  'user-of-target': 'makes nothing',
  'user-of-netns': 'makes nothing',
  target: 'makes nothing',
  join: 'makes nothing',
}

describe('what is gone from the kernel', { skip: why, timeout: 180_000 * patience }, () => {
  let engine: TestEngine
  let client: Client
  let found: Found
  let whole: Awaited<ReturnType<typeof state>>
  const places: string[] = []

  const docker = (...args: readonly string[]) => engine.runDocker(...args)

  before(async () => {
    engine = await TestEngine.start()
    client = createClient(engine.host)
    await docker('network', 'create', '--internal', 'inner')
    const subnets = ['--subnet', '10.209.77.0/24', '--ipv6', '--subnet', 'fd00:77:9::/64']
    await docker('network', 'create', ...subnets, '-o', 'com.docker.network.bridge.enable_icc=false', 'net')
    const ports = ['127.0.0.1::80', '0.0.0.0::80', '[::1]::80', '[::]::80'].flatMap(port => ['-p', port])
    await docker('run', '-d', '--name', 'same', '--network', 'inner', 'busybox', 'sleep', 'infinity')
    // so that there is something in each set: of datagrams those that are led, and those that a socket relays
    const [four, six] = ['0.0.0.0::53/udp', '[::]::53/udp'].map(port => ['-p', port])
    for (const [name, ...flags] of [
      ['both', '--network', 'net', ...four!, ...six!],
      ['rest', ...six!],
    ])
      await docker('run', '-d', '--name', name!, ...flags, 'busybox', 'sleep', 'infinity')
    const serve = 'mkdir /www && echo hello >/www/index.html && httpd -h /www && exec sleep infinity'
    const id = await docker('run', '-d', '--name', 'web', '--network', 'net', ...ports, 'busybox', 'sh', '-c', serve)
    places.push(...(await docker('port', 'web')).split('\n').map(line => line.split(' -> ')[1]!))
    const paths = new Paths(engine.roots)
    const { name } = paths
    const [network] = JSON.parse(await docker('network', 'inspect', 'net'))
    const endpoint = await docker('inspect', '-f', '{{.NetworkSettings.Networks.net.EndpointID}}', 'web')
    found = {
      pid: Number(await docker('inspect', '-f', '{{.State.Pid}}', 'web')),
      sandbox: paths.sandbox(id),
      bridge: name.bridge(network.Id),
      veth: name.veth(endpoint),
      table: name.full,
      cgroups: engineGroups(name.full)
        .map(group => join(group, basename(name.cgroup(id))))
        .filter(existsSync),
    }
    assert.ok(found.cgroups.length > 0, 'it is in no group')
    whole = await state()
  })
  after(async () => {
    client.close()
    await engine.stop()
  })

  /** All that a row may take away, in the kernel's own words, and that others get an answer from "web". */
  async function state() {
    const { bridge, veth, table, sandbox, cgroups, pid } = found
    const rules = await command('nft', ['list', 'chain', 'ip', 'filter', 'DOCKER-USER'])
    return {
      table: await run(`nft list table inet ${table}`),
      rules: rules.stdout
        .split('\n')
        .filter(line => line.includes(`"${table}"`) && !line.includes('dispatch'))
        .map(line => line.replace(/packets \d+ bytes \d+/, '')),
      bridge: [...(await run(`ip -o addr show dev ${bridge}`)).matchAll(/inet6? (\S+)/g)]
        .map(([, address]) => address!)
        .filter(address => !address.startsWith('fe80'))
        .sort(),
      ports: readdirSync(`/sys/class/net/${bridge}/brif`),
      port: ['isolated', 'hairpin_mode'].map(file => readFileSync(`/sys/class/net/${veth}/brport/${file}`, 'utf8')),
      namespace: existsSync(sandbox) && (await run(`nsenter --net=${sandbox} ip -o link show eth0`)).includes('UP'),
      cgroups: cgroups.filter(folder =>
        readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n').includes(String(pid)),
      ),
      answers: await Promise.all(places.map(answerOf)),
    }
  }

  async function answerOf(place: string): Promise<string> {
    const answer = await fetch(`http://${place}/`, {
      signal: AbortSignal.timeout(2000 * patience),
      headers: { connection: 'close' },
    })
    return answer.text()
  }

  /** What one look must find whole again: neighbours and the bridge's own learning take a moment. */
  async function isWhole(): Promise<void> {
    await eventually('all that was there', async () => {
      assert.deepEqual(await state().catch((error: Error) => error.message), whole)
      return true
    })
    await use('rest')
  }

  /** Any verb looks at what it needs. */
  async function use(name: string): Promise<void> {
    const { Processes } = await client.call(endpoints.containerTop, { params: { id: name } })
    assert.ok(Processes?.length)
  }

  async function isToldOnce(says: RegExp, from: number): Promise<void> {
    const lines = engine.log
      .slice(from)
      .split('\n')
      .filter(line => says.test(line))
    assert.equal(lines.length, 1, `${says}:\n${engine.log.slice(from)}`)
  }

  interface Rules {
    readonly sets: Readonly<Record<string, Row>>
    readonly chains: Readonly<Record<string, Row>>
    readonly table: Row
  }

  /** Every set and every chain that there is in the table, and the table itself. */
  function rules(): Rules {
    const names = (kind: RegExp): string[] => [...whole.table.matchAll(kind)].map(([, name]) => name!)
    const flush = (kind: string, name: string): Row => ({
      gone: ({ table }) => run(`nft flush ${kind} inet ${table} ${name}`),
      says: tableSays,
    })
    const sets = names(/^\tset (\w+) \{/gm).map(name => [`what stands in ${name}`, flush('set', name)])
    const maps = names(/^\tmap (\w+) \{/gm).map(name => [`what stands in ${name}`, flush('map', name)])
    const chains = names(/^\tchain (\w+) \{/gm).map(name => [`the rules of ${name}`, flush('chain', name)])
    return {
      sets: Object.fromEntries([...sets, ...maps]),
      chains: Object.fromEntries(chains),
      table: { gone: ({ table }) => run(`nft delete table inet ${table}`), says: tableSays },
    }
  }

  const together = (rows: Readonly<Record<string, Row>>): Row => ({
    gone: async where => {
      for (const { gone } of Object.values(rows)) await gone(where)
    },
    says: tableSays,
  })

  const dockers: Row = {
    gone: async ({ table }) => {
      const listing = await run('nft -a list chain ip filter DOCKER-USER')
      const handles = [...listing.matchAll(new RegExp(`"${table}" # handle (\\d+)`, 'g'))].map(([, handle]) => handle)
      // at once: after the first of many the engine would be there already
      const said = await command('nft', [
        handles.map(handle => `delete rule ip filter DOCKER-USER handle ${handle}`).join('; '),
      ])
      assert.equal(said.code, 0, said.stderr)
    },
    says: /Rules of our bridges were gone from ip DOCKER-USER; they are there again/,
  }

  const objects = Object.values(made).flatMap(rows => (typeof rows === 'string' ? [] : Object.entries(rows)))

  test('while the engine runs is made again at the next use', async t => {
    const { sets, chains, table } = rules()
    assert.deepEqual(
      Object.keys(setTypes).filter(set => !new RegExp(`(set|map) ${set} \\{[^}]*elements`).test(whole.table)),
      [],
      'nothing stands in these',
    )
    const all = [...objects, ...Object.entries({ ...sets, ...chains, 'the table': table })]
    if (whole.rules.length > 0) all.push(["Docker's chain", dockers])
    for (const [what, { gone, says }] of all)
      await t.test(what, async () => {
        const from = engine.log.length
        await gone(found)
        await use('web')
        await isWhole()
        await isToldOnce(says, from)
      })
  })

  test('of the firewall is there again before anything is used', async t => {
    const { sets, chains, table } = rules()
    const all = [
      ['all that stands in sets', together(sets)] as const,
      ['all rules', together(chains)] as const,
      ['the table', table] as const,
    ]
    for (const [what, { gone }] of all)
      await t.test(what, async () => {
        await gone(found)
        await isWhole()
      })
  })

  test('while there is no engine is made again by the next', async t => {
    const { sets, chains, table } = rules()
    const all = [
      ...objects,
      ['all that stands in sets', together(sets)] as const,
      ['all rules', together(chains)] as const,
      ['the table', table] as const,
    ]
    // one of each kind at a time: what a row takes away must still be there
    const areAlike = (a: Row, b: Row): boolean =>
      a.says === b.says || [a, b].some(({ byBridge }) => byBridge && [a.says, b.says].includes(bridgeSays))
    const rounds: (typeof all)[] = []
    for (const row of all) {
      const round = rounds.find(rows => rows.every(([, other]) => !areAlike(other, row[1])))
      if (round) round.push(row)
      else rounds.push([row])
    }
    for (const round of rounds)
      await t.test(round.map(([what]) => what).join(', '), async () => {
        const from = engine.log.length
        await engine.halt('SIGKILL')
        for (const [, { gone }] of round) await gone(found)
        // nobody can tell these from rules that a Docker Engine has never seen
        if (whole.rules.length > 0) await dockers.gone(found)
        await engine.boot()
        await isWhole()
        for (const [, { says }] of round) await isToldOnce(says, from)
      })
  })

  const pidOf = (name: string): Promise<string> => docker('inspect', '-f', '{{.State.Pid}}', name)
  /** The parent of the container's first process. */
  async function killMonitor(pid: string): Promise<void> {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    process.kill(Number(/^PPid:\s*(\d+)/m.exec(status)![1]), 'SIGKILL')
    await eventually('the end of its process', () => !existsSync(`/proc/${pid}/root/bin`))
  }

  test('a monitor takes its container with it, which can be started again', async () => {
    await docker('run', '-d', '--name', 'doomed', '--network', 'net', 'busybox', 'sleep', 'infinity')
    const from = engine.log.length
    await killMonitor(await pidOf('doomed'))
    await eventually('its end', async () =>
      (await docker('inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', 'doomed')).startsWith('exited 137'),
    )
    await docker('start', 'doomed')
    const pid = await pidOf('doomed')
    await engine.halt('SIGKILL')
    await killMonitor(pid)
    await engine.boot()
    assert.equal(await docker('inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', 'doomed'), 'exited 255')
    await isToldOnce(/Nobody knows how "doomed" ended: its monitor is gone and has written nothing down/, from)
    await docker('start', 'doomed')
    assert.equal(await docker('exec', 'doomed', 'echo', 'again'), 'again')
    await docker('rm', '-f', 'doomed')
  })

  test('the process that monitors are born of is replaced', async () => {
    const { name } = new Paths(engine.roots)
    const nurseries = readdirSync('/proc').filter(
      pid => /^\d+$/.test(pid) && commandOf(pid) === `${name.short}-nursery`,
    )
    assert.ok(nurseries.length > 0)
    for (const pid of nurseries) process.kill(Number(pid), 'SIGKILL')
    assert.equal(await docker('exec', 'rest', 'echo', 'managed'), 'managed')
    assert.equal(await docker('run', '--rm', 'busybox', 'echo', 'new'), 'new')
  })

  test('the group above those of containers is made again with the next container', async () => {
    const { name } = new Paths(engine.roots)
    await docker('rm', '-f', 'web', 'both', 'rest', 'same')
    for (const group of engineGroups(name.full)) if (existsSync(group)) rmdirSync(group)
    assert.equal(await docker('run', '--rm', 'busybox', 'echo', 'new'), 'new')
  })
})

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
  } catch {
    // ended while we looked
    return ''
  }
}
