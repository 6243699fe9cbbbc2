/** What an engine does beneath any stack, one row each, us and a Docker Engine in turn. */
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { endpoints } from '../../src/api/endpoints.ts'
import { command } from '../support/command.ts'
import { which } from '../support/needs.ts'
import { hasWrk, wrk } from '../support/wrk.ts'
import type { EngineSide, Engines, Work } from './engines.ts'
import { expectOk } from './stacks.ts'

/** Of a figure; those of a rate are the better the higher they are. */
export type Unit = 'ms' | 'MB' | 'count' | 'Gbit/s' | '/s'

export interface EngineRow {
  readonly what: string
  readonly unit: Unit
  readonly ours: readonly number[]
  readonly theirs: readonly number[]
}

interface Bench extends Omit<Engines, 'ours' | 'theirs'> {
  /** Of log lines. */
  readonly logBytes: number
}

interface Measure {
  readonly what: string
  readonly unit: Unit
  /** Only so often, since one takes long; by default as often as was asked for. */
  readonly rounds?: number
  readonly needs?: boolean
  /** A Docker Engine cannot do it. */
  readonly alone?: boolean
  take(side: EngineSide, bench: Bench): Promise<number>
}

const idle = 200
const still = 30_000
const ports = 206

const measures: readonly Measure[] = [
  { what: 'start', unit: 'ms', take: side => startTime(side, {}) },
  {
    what: 'start, in a user namespace',
    unit: 'ms',
    alone: true,
    take: side => startTime(side, { UsernsMode: 'private' }),
  },
  { what: 'exec, by the API', unit: 'ms', take: side => beside(side, { does: ['pause'] }, id => execTime(side, id)) },
  {
    what: 'exec, by docker',
    unit: 'ms',
    needs: which('docker') !== undefined,
    take: side =>
      beside(side, { does: ['pause'] }, id =>
        timed(async () => {
          const env = { DOCKER_HOST: side.host }
          expectOk(await command(which('docker')!, ['exec', id, '/load', 'lines', '0'], { env }))
        }),
      ),
  },
  {
    what: '20 exec at once',
    unit: 'ms',
    take: side =>
      beside(side, { does: ['pause'] }, id =>
        timed(() => Promise.all(Array.from({ length: 20 }, () => execTime(side, id)))),
      ),
  },
  { what: 'killed to running again', unit: 'ms', take: restartTime },
  { what: `${ports} published ports: start`, unit: 'ms', take: side => portTimes(side, 'start') },
  { what: `${ports} published ports: remove`, unit: 'ms', take: side => portTimes(side, 'remove') },
  {
    what: 'container to container',
    unit: 'Gbit/s',
    take: side =>
      beside(side, { does: ['sink', '5001'], networked: true }, async id => {
        const { NetworkSettings } = await side.client.call(endpoints.containerInspect, { params: { id } })
        const address = NetworkSettings.Networks![side.network]!.IPAddress!
        return (await said(side, { does: ['send', address, '5001', '3'], networked: true })) / 1e9
      }),
  },
  {
    what: 'to a published port',
    unit: 'Gbit/s',
    take: (side, { load }) =>
      beside(side, { does: ['sink', '5001'], ...published('5001/tcp') }, async id => {
        const port = await side.published(id, '5001/tcp')
        return Number(expectOk(await command(load, ['send', '127.0.0.1', port, '3'])).stdout) / 1e9
      }),
  },
  {
    what: 'connections to a published port',
    unit: '/s',
    needs: hasWrk,
    take: side =>
      beside(side, { does: ['/http-server', '80'], ...published('80/tcp') }, async id => {
        const url = `http://127.0.0.1:${await side.published(id, '80/tcp')}/`
        const { stdout } = expectOk(await wrk(['-t1', '-c32', '-d3', '-H', 'Connection: close', url]))
        return Number(stdout.match(/Requests\/sec:\s+([\d.]+)/)![1])
      }),
  },
  {
    what: 'names asked for, 20 in flight',
    unit: '/s',
    take: side =>
      beside(side, { name: `named-${process.pid}`, does: ['pause'], networked: true }, () =>
        said(side, { does: ['dns', `named-${process.pid}`, '3', '20'], networked: true }),
      ),
  },
  { what: 'log lines written', unit: 'ms', rounds: 1, take: (side, { logBytes }) => logTimes(side, logBytes, 'write') },
  {
    what: 'log lines read back',
    unit: 'ms',
    rounds: 1,
    take: (side, { logBytes }) => logTimes(side, logBytes, 'read'),
  },
  { what: `memory of ${idle} idle containers`, unit: 'MB', rounds: 1, take: side => withIdle(side, memory) },
  { what: `30 s of ${idle} idle containers: CPU`, unit: 'ms', rounds: 1, take: side => withIdle(side, cpu) },
  {
    what: `30 s of ${idle} idle containers: context switches`,
    unit: 'count',
    rounds: 1,
    take: side => withIdle(side, switches),
  },
]

/** Of one container, on average of ten that come and go one after the other. */
async function startTime(side: EngineSide, host: NonNullable<Work['host']>): Promise<number> {
  const count = 10
  let sum = 0
  for (let i = 0; i < count; i++) {
    const id = await side.create({ does: ['pause'], host: { ...host, NetworkMode: 'none' } })
    sum += await timed(() => side.client.call(endpoints.containerStart, { params: { id } }))
    await side.remove(id)
  }
  return sum / count
}

/** The first round of each warms both up, and does not count. */
export async function* timeEngines(
  engines: Engines,
  rounds: number,
  { logBytes, only }: { readonly logBytes: number; readonly only?: string | undefined },
): AsyncGenerator<EngineRow> {
  for (const measure of measures) {
    if (measure.needs === false || (only !== undefined && !measure.what.includes(only))) continue
    const ours: number[] = []
    const theirs: number[] = []
    const counted = measure.rounds ?? rounds
    for (let round = measure.rounds === undefined ? -1 : 0; round < counted; round++) {
      const mine = await measure.take(engines.ours, { ...engines, logBytes })
      if (round >= 0) ours.push(mine)
      if (!engines.theirs || measure.alone) continue
      const other = await measure.take(engines.theirs, { ...engines, logBytes })
      if (round >= 0) theirs.push(other)
    }
    yield { what: measure.what, unit: measure.unit, ours, theirs }
  }
}

/** While a container does `work`. */
async function beside(side: EngineSide, work: Work, take: (id: string) => Promise<number>): Promise<number> {
  const id = await side.start(work)
  try {
    return await take(id)
  } finally {
    await side.remove(id)
  }
}

/** The number that a container prints. */
async function said(side: EngineSide, work: Work): Promise<number> {
  return await beside(side, work, async id => {
    await side.finish(id)
    return Number(await side.output(id))
  })
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await run()
  return performance.now() - start
}

/** From the first call to the end of the output. */
async function execTime({ client }: EngineSide, id: string): Promise<number> {
  return await timed(async () => {
    const body = { Cmd: ['/load', 'lines', '0'], AttachStdout: true, AttachStderr: true }
    const { Id } = await client.call(endpoints.execCreate, { params: { id }, body })
    const { output, socket } = await client.hijack(endpoints.execStart, { params: { id: Id }, body: {} })
    for await (const { data } of output) throw new Error(`it said ${data}`)
    socket.destroy()
  })
}

/** From the kill of a container's process, which has run for a second, to the event of its next start. */
async function restartTime(side: EngineSide): Promise<number> {
  const host = { RestartPolicy: { Name: 'always' as const } }
  return await beside(side, { does: ['pause'], host }, async id => {
    const { State } = await side.client.call(endpoints.containerInspect, { params: { id } })
    const heard = await side.client.stream(endpoints.events, {
      query: { filters: { container: [id], event: ['start'] } },
    })
    await pause(1000)
    const start = performance.now()
    process.kill(State.Pid, 'SIGKILL')
    for await (const _ of heard) return performance.now() - start
    throw new Error('the events ended before the container ran again')
  })
}

/** Published where the engine finds room, on loopback. */
function published(...names: readonly string[]): Pick<Work, 'exposes' | 'host'> {
  const bindings = Object.fromEntries(names.map(name => [name, [{ HostIp: '127.0.0.1', HostPort: '' }]]))
  return { exposes: names, host: { PortBindings: bindings } }
}

async function portTimes(side: EngineSide, what: 'start' | 'remove'): Promise<number> {
  const names = Array.from({ length: ports }, (_, i) => `${8000 + i}/tcp`)
  const id = await side.create({ does: ['pause'], ...published(...names) })
  const start = await timed(() => side.client.call(endpoints.containerStart, { params: { id } }))
  const remove = await timed(() => side.remove(id))
  return { start, remove }[what]
}

async function logTimes(side: EngineSide, bytes: number, what: 'write' | 'read'): Promise<number> {
  const LogConfig = { Type: 'json-file', Config: { 'max-size': '100g', 'max-file': '1' } }
  const id = await side.create({ does: ['lines', String(bytes)], host: { LogConfig } })
  try {
    const write = await timed(async () => {
      await side.client.call(endpoints.containerStart, { params: { id } })
      await side.finish(id)
    })
    if (what === 'write') return write
    let got = 0
    const read = await timed(async () => {
      const query = { stdout: true }
      for await (const { data } of await side.client.stream(endpoints.containerLogs, { params: { id }, query }))
        got += data.length
    })
    if (got !== bytes) throw new Error(`${got} bytes of ${bytes} came back`)
    return read
  } finally {
    await side.remove(id)
  }
}

/** While many containers do nothing. */
async function withIdle(side: EngineSide, take: (side: EngineSide) => Promise<number>): Promise<number> {
  const ids: string[] = []
  try {
    for (let i = 0; i < idle; i++) ids.push(await side.start({ does: ['pause'], networked: true }))
    await pause(5000)
    return await take(side)
  } finally {
    await side.remove(...ids)
  }
}

/** Megabytes (10^6 bytes), pages that processes share counted once (proc_pid_smaps_rollup(5): Pss). */
async function memory(side: EngineSide): Promise<number> {
  const kilobytes = sum(side.processes(), pid =>
    Number(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8').match(/^Pss:\s+(\d+)/m)![1]),
  )
  return (kilobytes * 1024) / 1e6
}

async function cpu(side: EngineSide): Promise<number> {
  return await during(side, pid => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
    // in ticks of 10 ms: proc_pid_stat(5), fields 14 and 15
    return (Number(fields[11]) + Number(fields[12])) * 10
  })
}

async function switches(side: EngineSide): Promise<number> {
  const counters = /^(?:non)?voluntary_ctxt_switches:\s+(\d+)/gm
  return await during(side, pid =>
    sum(
      readdirSync(`/proc/${pid}/task`)
        .map(task => readFileSync(`/proc/${pid}/task/${task}/status`, 'utf8'))
        .flatMap(text => [...text.matchAll(counters)].map(([, count]) => Number(count))),
      count => count,
    ),
  )
}

/** By how much a counter of the engine's processes grows in half a minute. */
async function during(side: EngineSide, count: (pid: number) => number): Promise<number> {
  const pids = side.processes()
  const before = sum(pids, count)
  await pause(still)
  return sum(pids, count) - before
}

/** What has ended meanwhile counts as nothing. */
function sum(items: readonly number[], of: (item: number) => number): number {
  return items.reduce((total, item) => {
    try {
      return total + of(item)
    } catch (error) {
      if (!['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
      return total
    }
  }, 0)
}
