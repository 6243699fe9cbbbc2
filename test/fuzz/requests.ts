/**
 * Sends damaged requests to an engine of its own and looks whether it lives, answers, says nothing of its own insides, and gives its memory
 * back: `npm run fuzz`, by hand. FUZZ_REQUESTS (100,000) and FUZZ_SEED choose the run; the seed is printed. FUZZ_KINDS names a file for all
 * kinds of refusals: how often, what was said, and one request that it was said to.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { endpoints } from '../../src/api/endpoints.ts'
import { createClient } from '../../src/client/client.ts'
import { randomOf } from '../chaos/random.ts'
import { TestEngine } from '../support/engine.ts'
import { type Damaged, damaged } from './damage.ts'
import { Targets } from './targets.ts'

const count = Number(process.env['FUZZ_REQUESTS'] ?? 100_000)
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1e6)
const random = randomOf(seed)
const atOnce = 24
/** An answer that takes longer is a hang, unless it is one that goes on for good, or waits for a registry. */
const longest = 20_000
const endless = new Set(['lines', 'output', 'hijack', 'progress'])
/** Those that may wait for good for a container that runs. */
const waiting = new Set(['containerWait'])
/** So often is made again what the requests have removed. */
const renewal = 250
/** Before memory is measured for the first time, everything has been loaded. */
const warm = Math.min(5_000, Math.floor(count / 4))
const mostGrowth = 32 * 1024 ** 2

const engine = await TestEngine.start(['busybox'])
const socket = engine.host.slice('unix://'.length)
const client = createClient(engine.host)
const faults: string[] = []
const statuses = new Map<number, number>()
/** Refusals by status, endpoint and message, what is different in each left out. */
const kinds = new Map<string, { times: number; readonly request: string }>()
let sent = 0

function fault(what: string, { bytes }: Damaged): void {
  faults.push(`${what}\n    ${JSON.stringify(bytes.toString('latin1').slice(0, 600))}`)
}

/** What comes back, until it ends, or long enough. */
function exchange(request: Damaged): Promise<void> {
  const { endpoint, bytes } = request
  const goesOn = endless.has(endpoint.reply.kind) || waiting.has(endpoint.name)
  return new Promise(resolve => {
    const line = connect(socket)
    const pieces: Buffer[] = []
    let size = 0
    const timer = setTimeout(
      () => {
        if (!goesOn && pieces.length === 0) fault(`no answer to ${endpoint.name} in ${longest} ms`, request)
        line.destroy()
      },
      goesOn ? 300 : longest,
    )
    line.on('data', piece => {
      size += piece.length
      if (size < 100_000) pieces.push(piece)
    })
    line.on('error', () => undefined)
    line.on('close', () => {
      clearTimeout(timer)
      judge(Buffer.concat(pieces).toString('latin1'), request)
      resolve()
    })
    line.write(bytes)
    // of what is cut short there is no more to come
    const short = setTimeout(() => line.end(), 250)
    line.once('data', () => clearTimeout(short)).once('close', () => clearTimeout(short))
  })
}

const insides =
  /\n\s+at .*[(/]|TypeError|ReferenceError|RangeError|is not a function|Cannot read propert|undefined \(reading|ZodError|"(?:message|error)":"[^"]*\/proc\/self\/fd\/\d|file:\/\/\//

function judge(answer: string, request: Damaged): void {
  const status = Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0)
  statuses.set(status, (statuses.get(status) ?? 0) + 1)
  note(status, answer, request)
  if (insides.test(answer))
    fault(`${request.endpoint.name} answers ${status} and tells of its insides: ${answer.slice(-300)}`, request)
}

function note(status: number, answer: string, { endpoint, bytes }: Damaged): void {
  if (status < 400 && status !== 0) return
  const body = answer.slice(answer.indexOf('\r\n\r\n') + 4).replaceAll(/\s+/g, ' ')
  const kind = `${status} ${endpoint.name} ${body
    .slice(0, 300)
    .replaceAll(/[0-9a-f]{12,}/g, 'ID')
    .replaceAll(/\d+/g, 'N')}`
  const known = kinds.get(kind)
  if (known) known.times++
  else kinds.set(kind, { times: 1, request: bytes.toString('latin1').slice(0, 400) })
}

/** Proportional set size, bytes. */
function memory(): number {
  return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${engine.pid}/smaps_rollup`, 'utf8'))![1]) * 1024
}

/** V8 gives back what it has collected when nothing is asked for: within a minute or so. */
async function settled(wanted: number): Promise<number> {
  for (let i = 0; i < 12 && memory() > wanted; i++) await pause(10_000)
  return memory()
}

async function rounds(targets: Targets, until: number): Promise<void> {
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (sent < until && faults.length < 20) {
        if (sent++ % renewal === 0) await targets.renew()
        await exchange(damaged(random, targets.names))
      }
    }),
  )
}

/** What was made on the way. */
async function clear(): Promise<void> {
  for (const { Id } of await client.call(endpoints.containerList, { query: { all: true } }))
    await client
      .call(endpoints.containerRemove, { params: { id: Id }, query: { force: true, v: true } })
      .catch(() => undefined)
  await client.call(endpoints.networkPrune, { query: {} })
  await client.call(endpoints.volumePrune, { query: { filters: { all: ['true'] } } })
}

console.log(`seed ${seed}, ${count} requests`)
const { pid } = engine
const began = performance.now()
try {
  const targets = await Targets.open(client)
  await rounds(targets, warm)
  await clear()
  await pause(3000)
  const before = memory()
  await rounds(targets, count)
  await clear()
  const most = memory()
  const after = await settled(before + mostGrowth)
  if (after > before + mostGrowth) faults.push(`memory grew from ${before} to ${after} bytes`)
  const [first, high, last] = [before, most, after].map(bytes => Math.round(bytes / 1e6))
  console.log(`memory ${first} MB before, ${high} MB at the end, ${last} MB when all was quiet`)
  if (engine.pid !== pid) faults.push('the engine is another')
  await client.call(endpoints.info, {})
} catch (error) {
  faults.push(`the engine does not answer: ${String(error)}`)
}
const lines = engine.log.split('\n')
const isStack = (line: string | undefined) => /^\s+at |defect:/.test(line ?? '')
const stacks = lines.filter((line, i) => isStack(line) || isStack(lines[i + 1]))
if (stacks.length > 0) faults.push(`the log of the engine has stacks:\n${stacks.slice(0, 40).join('\n')}`)
client.close()
await engine.stop()
const told = [...statuses].sort(([a], [b]) => a - b).map(([status, times]) => `${status || 'none'} ${times}`)
console.log(
  `${sent} requests in ${Math.round((performance.now() - began) / 1000)} s; ${told.join(', ')}; ${faults.length} faults`,
)
const kindsFile = process.env['FUZZ_KINDS']
if (kindsFile) {
  const rows = [...kinds].sort(([a], [b]) => (a < b ? -1 : 1))
  writeFileSync(
    kindsFile,
    rows.map(([kind, { times, request }]) => `${times}\t${kind}\t${JSON.stringify(request)}\n`).join(''),
  )
}
for (const each of faults) console.log(`FAULT ${each}`)
process.exit(faults.length > 0 ? 1 : 0)
