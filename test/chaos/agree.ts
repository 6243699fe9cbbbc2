/** What an engine says of its containers, networks and volumes, held against what the kernel and the disk have of it, while nobody changes anything. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { ContainerInspect } from '../../src/api/containers.ts'
import { endpoints } from '../../src/api/endpoints.ts'
import { createClient } from '../../src/client/client.ts'
import { Paths } from '../../src/engine/base/paths.ts'
import { command } from '../support/command.ts'
import type { TestEngine } from '../support/engine.ts'

/** Milliseconds that what was told to end may take. */
const settling = 10_000

/** There without a record, until they have something to record. */
const predefined: ReadonlySet<string> = new Set(['bridge', 'host', 'none'])

/** In what they differ, once all has come to rest; nothing when they agree. */
export async function disagreements(engine: TestEngine): Promise<readonly string[]> {
  const end = performance.now() + settling
  for (;;) {
    const found = await differences(engine)
    if (found.length === 0 || performance.now() > end) return found
    await pause(200)
  }
}

async function differences(engine: TestEngine): Promise<readonly string[]> {
  const api = createClient(engine.host)
  const paths = new Paths(engine.roots)
  const found: string[] = []
  /** Both ways: what is said and not there, what is there and nobody says. */
  const same = (what: string, said: readonly string[], there: readonly string[]): void => {
    for (const each of said) if (!there.includes(each)) found.push(`${what}: ${each} is said to be there`)
    for (const each of there) if (!said.includes(each)) found.push(`${what}: nobody knows ${each}`)
  }
  try {
    const listed = await api.call(endpoints.containerList, { query: { all: true } })
    const all = await Promise.all(
      listed.map(({ Id }) => api.call(endpoints.containerInspect, { params: { id: Id }, query: {} })),
    )
    const running = all.filter(({ State }) => State.Running)
    const networks = await api.call(endpoints.networkList, {})
    const volumes = (await api.call(endpoints.volumeList, {})).Volumes ?? []
    const stock = await engine.stock()

    same(
      'folders of containers',
      all.map(({ Id }) => Id),
      list(paths.containers),
    )
    same(
      'records of networks',
      networks.filter(({ Name }) => !predefined.has(Name)).map(({ Id }) => Id),
      list(paths.networks)
        .map(file => file.replace(/\.json$/, ''))
        .filter(id => !networks.some(({ Id, Name }) => Id === id && predefined.has(Name))),
    )
    same(
      'volumes',
      volumes.map(({ Name }) => Name),
      list(paths.volumes).filter(name => existsSync(paths.volumeRecord(name))),
    )
    same('network namespaces', running.map(sandboxOf), stock.namespaces)
    for (const group of new Set(stock.cgroups.map(path => path.slice(0, path.lastIndexOf('/')))))
      same(
        group,
        running.map(({ Id }) => Id),
        list(group, true),
      )
    const [used, unused] = [true, false].map(wanted =>
      networks.filter(({ Id }) => isUsed(Id, running) === wanted).map(({ Id }) => paths.name.bridge(Id)),
    )
    const bridges = stock.interfaces.filter(name => name.startsWith(paths.name.bridges))
    // one that was used stays as long as its network
    same(
      'bridges',
      used!,
      bridges.filter(name => !unused!.includes(name)),
    )
    const ends = running.flatMap(({ NetworkSettings }) => Object.values(NetworkSettings.Networks ?? {}))
    const veths = stock.interfaces.filter(name => name.startsWith(paths.name.veths))
    same(
      'ends of wires',
      ends.map(({ EndpointID }) => paths.name.veth(EndpointID ?? '')),
      veths,
    )
    same('published ports', running.flatMap(portsOf), await portsInKernel(paths.name.full))
    const monitors = stock.processes.filter(line => / .*-monitor$/.test(line))
    if (monitors.length !== running.length)
      found.push(`${running.length} containers run under ${monitors.length} monitors`)
    for (const { Id, Name, State } of running)
      if (!cgroupOf(State.Pid).includes(Id))
        found.push(`${Name} runs as process ${State.Pid}, which is not in its group`)
    found.push(...givenTwice(running))
  } finally {
    api.close()
  }
  return found
}

/** Addresses that two have. */
export function givenTwice(running: readonly Pick<ContainerInspect, 'NetworkSettings'>[]): readonly string[] {
  const used = running.flatMap(({ NetworkSettings }) =>
    Object.values(NetworkSettings.Networks ?? {}).map(({ IPAddress }) => IPAddress),
  )
  return used.filter((each, i) => each && used.indexOf(each) !== i).map(each => `two containers have ${each}`)
}

/** Whether a bridge must be there for it. */
function isUsed(id: string, running: readonly ContainerInspect[]): boolean {
  return running.some(({ NetworkSettings }) =>
    Object.values(NetworkSettings.Networks ?? {}).some(({ NetworkID }) => NetworkID === id),
  )
}

function sandboxOf({ NetworkSettings }: ContainerInspect): string {
  return basename(NetworkSettings.SandboxKey ?? '')
}

/** "tcp 8080" for each of IPv4's. */
function portsOf({ NetworkSettings }: ContainerInspect): readonly string[] {
  return Object.entries(NetworkSettings.Ports ?? {}).flatMap(([key, places]) =>
    (places ?? [])
      .filter(({ HostIp }) => !HostIp?.includes(':'))
      .map(({ HostPort }) => `${key.split('/')[1]} ${HostPort}`),
  )
}

async function portsInKernel(table: string): Promise<readonly string[]> {
  const said = await command('nft', ['-j', 'list', 'table', 'inet', table])
  const maps = (JSON.parse(said.stdout).nftables as { map?: { name: string; elem?: unknown[] } }[])
    .map(({ map }) => map)
    .filter(map => map !== undefined && ['any4', 'ports4'].includes(map.name))
  return maps.flatMap(map =>
    (map!.elem ?? []).map(element => {
      const [{ concat }] = element as [{ concat: (string | number)[] }]
      return `${concat[0]} ${concat.at(-1)}`
    }),
  )
}

function cgroupOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cgroup`, 'utf8')
  } catch {
    // not there, and so in none
    return ''
  }
}

function list(folder: string, foldersOnly = false): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true })
    .filter(entry => !foldersOnly || entry.isDirectory())
    .map(({ name }) => name)
    .filter(name => existsSync(join(folder, name)))
}
