/**
 * Kills an engine at random moments under eight clients, whose stacks go up, down, log and are exec'ed into, and holds what it says against the
 * kernel and the disk: `npm run chaos`, by hand. Which run: see killing.ts.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { endpoints } from '../../src/api/endpoints.ts'
import { createClient } from '../../src/client/client.ts'
import { launcher, TestEngine } from '../support/engine.ts'
import { disagreements } from './agree.ts'
import { firstLine, Killing, Wrong } from './killing.ts'
import { Patient } from './patient.ts'
import { makeTalkative } from './standing.ts'

/** Kills after which everybody rests, and kernel, disk and engine are compared. */
const restAfter = 20

const killing = new Killing()
makeTalkative()
const engine = await TestEngine.start()
const patient = new Patient(engine)

const steady = engine.stack(
  `
services:
  writer:
    image: busybox
    command: sh -c 'i=0; while :; do echo "line $$i"; i=$$((i+1)); sleep 0.05; done'
    ports: ["127.0.0.1::80"]
  one: {image: busybox, profiles: [never]}
`,
  'steady',
)
const changing = Array.from({ length: 3 }, (_, i) =>
  engine.stack(
    `
services:
  db: {image: busybox, init: true, command: sleep infinity, volumes: ["data:/data"], environment: {ROUND: "\${ROUND:-0}"}}
  web: {image: busybox, init: true, command: sleep infinity, depends_on: [db], ports: ["127.0.0.1::80"]}
  ends: {image: busybox, command: sh -c 'echo the end; exit 7', networks: [default, other]}
volumes: {data: {}}
networks: {other: {}}
`,
    `changing${i}`,
  ),
)
const moving = engine.stack(
  `
services:
  a: {image: busybox, init: true, command: sleep infinity}
  b: {image: busybox, init: true, command: sleep infinity, depends_on: [a], ports: ["127.0.0.1::80", "127.0.0.1::53/udp"]}
`,
  'moving',
)
await steady.run('up', '-d')
await moving.run('up', '-d')
const first = await writer()

/** A command of ours; what it is refused is no fault, but it must not hang. */
async function tscompose({ folder }: { readonly folder: string }, ...args: readonly string[]) {
  return await patient.run(launcher, args, { cwd: folder })
}

/** The same, which goes on only where it went well. */
async function done(...command: Parameters<typeof tscompose>): Promise<string> {
  const said = await tscompose(...command)
  if (said.code !== 0) throw new Error(said.stderr)
  return said.stdout
}

/** What must have been said by a command that ended with its own code. */
async function speaks(round: number, ...[stack, ...args]: Parameters<typeof tscompose>): Promise<void> {
  const code = 3 + (round % 100)
  const said = await tscompose(stack, ...args, 'sh', '-c', `echo ${round}; exit ${code}`)
  if (said.code === code && said.stdout !== `${round}\n`)
    throw new Wrong(`${args[0]} ended with its code, and said "${said.stdout}${said.stderr}" instead of ${round}`)
  if (said.code === 0) throw new Wrong(`${args[0]} ended with 0, where its command ended with ${code}: ${said.stderr}`)
  if (said.code !== code) throw new Error(said.stderr)
}

/** Lines that follow one another. */
function inOrder(text: string): void {
  const lines = text.split('\n').filter(Boolean)
  const start = Number(lines[0]?.slice('line '.length))
  const wrong = lines.findIndex((line, i) => line !== `line ${start + i}`)
  if (wrong >= 0) throw new Wrong(`"${lines[wrong]}" follows "${lines[wrong - 1]}"`)
}

const clients = [
  ...changing.map((stack, i) => {
    const random = killing.random(-10 - i)
    return killing.client(async round => {
      const scale = 1 + Math.floor(random() * 3)
      const what = random()
      if (what < 0.5) await done(stack, 'up', '-d', '-t', '0', '--scale', `web=${scale}`)
      else if (what < 0.65) await done(stack, 'up', '-d', '-t', '0', '--force-recreate')
      else if (what < 0.8) await done(stack, 'down', '-t', '0', ...(random() < 0.5 ? ['-v'] : []))
      else if (what < 0.9) await speaks(round, stack, 'exec', '-T', 'web')
      else await done(stack, 'logs')
    })
  }),
  killing.client(async round => {
    if (round % 2 === 0) inOrder(await done(steady, 'logs', '--no-log-prefix', '--tail', '300', 'writer'))
    else
      inOrder(
        (
          await patient.run('timeout', ['1', launcher, 'logs', '-f', '--no-log-prefix', '--tail', '5', 'writer'], {
            cwd: steady.folder,
          })
        ).stdout,
      )
  }),
  killing.client(round => speaks(round, steady, 'exec', '-T', 'writer')),
  killing.client(round => speaks(round, steady, 'run', '--rm', '-T', 'one')),
  killing.client(async round => {
    const verb = ['restart', 'stop', 'start', 'up', 'kill', 'up'][round % 6]!
    const quickly = { restart: ['-t', '0'], stop: ['-t', '0'], up: ['-d', '-t', '0'] }[verb] ?? []
    await done(moving, verb, ...quickly)
  }),
  killing.client(async round => {
    const name = `shared${round}`
    try {
      await docker('network', 'create', name)
      await docker('network', 'connect', '--alias', 'w', name, 'steady-writer-1')
      await docker('run', '--rm', '--network', name, 'busybox', 'nslookup', 'w')
      await docker('network', 'disconnect', name, 'steady-writer-1')
    } finally {
      await patient.docker('network', 'disconnect', '-f', name, 'steady-writer-1')
      await docker('network', 'rm', name)
    }
  }),
]

async function docker(...args: readonly string[]): Promise<string> {
  const said = await patient.docker(...args)
  if (said.code !== 0) throw new Error(said.stderr)
  return said.stdout
}

const startsAgain = await killing.run(engine, async kill => {
  const now = await writer()
  for (const [key, value] of Object.entries(first))
    if (now[key as keyof typeof now] !== value)
      killing.fault(`the writer's ${key} was ${value}, is ${now[key as keyof typeof now]}`)
  if (kill % restAfter === 0) await killing.rest(compare)
})
killing.stop()
const refused = await Promise.all(clients)
if (startsAgain)
  for (const check of [compare, checkLines, checkStacks]) await check().catch(error => killing.fault(firstLine(error)))
const { kills, seed, faults } = killing
console.log(`seed ${seed}: ${kills} kills, ${faults.length} faults; calls cut off: ${refused.join(', ')}`)
console.log(`took long, and ended: ${patient.slow.join('; ') || 'none'}`)
// also shows that nothing of the engine is left on this machine
await engine.stop()
process.exitCode = faults.length > 0 ? 1 : 0

async function compare(): Promise<void> {
  for (const each of await disagreements(engine)) killing.fault(each)
  const all = (await docker('ps', '-a', '--format', '{{.Names}} {{.Status}}')).split('\n')
  for (const each of all) {
    const [, name, code] = /^(\S+-ends-\d+) Exited \((\d+)\)/.exec(each) ?? []
    // 128: its start was cut short, 137: removed by force at that moment
    if (name !== undefined && !['7', '128', '137'].includes(code!)) killing.fault(`${name} ended with ${code}`)
  }
}

async function writer() {
  const api = createClient(engine.host)
  try {
    const { State, NetworkSettings } = await api.call(endpoints.containerInspect, {
      params: { id: 'steady-writer-1' },
      query: {},
    })
    return {
      state: State.Status,
      process: State.Pid,
      port: NetworkSettings.Ports?.['80/tcp']?.[0]?.HostPort,
      address: NetworkSettings.Networks?.['steady_default']?.IPAddress,
    }
  } finally {
    api.close()
  }
}

/** Every line once and in order, over all kills. */
async function checkLines(): Promise<void> {
  const text = await done(steady, 'logs', '--no-log-prefix', 'writer')
  if (!text.startsWith('line 0\n')) throw new Error(`the first line is "${text.split('\n')[0]}"`)
  inOrder(text)
  console.log(`${text.split('\n').length - 1} lines, none lost`)
}

/** Each comes up, wants nothing more then, and goes. */
async function checkStacks(): Promise<void> {
  for (const stack of [...changing, moving]) {
    await stack.run('up', '-d', '-t', '0')
    await pause(200)
    const again = await stack.try('up', '-d', '-t', '0')
    if (/Created|Recreated/.test(again.stderr))
      throw new Error(`${stack.name} is not at rest after up: ${again.stderr}`)
    await stack.run('down', '-v', '-t', '0')
  }
}
