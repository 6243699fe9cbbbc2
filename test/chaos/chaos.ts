/**
 * Kills an engine at random moments while clients use it, and looks after each start whether anything was lost: `npm run chaos`, by hand.
 * Which run: see killing.ts; the seed is printed, so that a run can be repeated.
 */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { endpoints } from '../../src/api/endpoints.ts'
import { createClient } from '../../src/client/client.ts'
import { TestEngine } from '../support/engine.ts'
import { tinyTar } from '../support/tiny-image.ts'
import { firstLine, Killing } from './killing.ts'
import { Patient } from './patient.ts'
import { makeTalkative } from './standing.ts'

const killing = new Killing()
const random = killing.random(-1)
makeTalkative()
const engine = await TestEngine.start()
const patient = new Patient(engine)

const docker = async (...args: readonly string[]): Promise<string> => {
  const said = await patient.docker(...args)
  assert.equal(said.code, 0, `docker ${args.join(' ')}: ${said.stderr}`)
  return said.stdout.trim()
}

await docker('network', 'create', 'chaos')
const count = 'i=0; while :; do echo "line $i"; i=$((i+1)); sleep 0.05; done'
await docker('run', '-d', '--name', 'writer', '--network', 'chaos', '-p', '127.0.0.1::80', 'busybox', 'sh', '-c', count)
const port = await docker('port', 'writer')
const address = await docker('inspect', '-f', '{{.NetworkSettings.Networks.chaos.IPAddress}}', 'writer')

/** Those whose removal was asked for: it may have killed them before they were done, and have been cut off then. */
const dropped = new Set<string>()

const clients = [
  killing.client(() => docker('run', '--rm', '--network', 'chaos', 'busybox', 'sh', '-c', 'exit 0').then(() => {})),
  killing.client(async round => {
    const name = `code-${round}`
    await docker('run', '-d', '--name', name, '--restart', 'on-failure:1', 'busybox', 'sh', '-c', `exit ${round % 50}`)
    dropped.add(name)
    await docker('rm', '-f', name)
  }),
  killing.client(round => build(round)),
  // the same steps as the other, now and then at once
  killing.client(round => build(round - (round % 3))),
  killing.client(async () => {
    await pause(random() * 1000)
    const api = createClient(engine.host)
    try {
      await api.call(endpoints.buildPrune, { query: { all: random() < 0.5 } })
      if (random() < 0.3) await docker('rmi', '-f', `built:${Math.floor(random() * 4)}`)
    } finally {
      api.close()
    }
  }),
  killing.client(() => docker('exec', 'writer', 'true').then(() => {})),
]

/** An image whose second file tells whether the first was whole. */
async function build(round: number): Promise<void> {
  const context = await tinyTar({
    Dockerfile: 'FROM busybox\nCOPY a /a\nRUN cat /a /a > /b && mkdir -p /d/e && sleep 0.1 && echo end >> /b\n',
    a: `round ${round % 7}\n`.repeat(2000),
  })
  const api = createClient(engine.host)
  try {
    const query = { t: [`built:${round % 4}`], nocache: random() < 0.2 }
    for await (const { error } of await api.stream(endpoints.imageBuild, { query, body: context }))
      if (error) throw new Error(error)
  } finally {
    api.close()
  }
}

const startsAgain = await killing.run(engine, look)
killing.stop()
const refused = await Promise.all(clients)
if (startsAgain)
  for (const check of [checkLines, checkPruned]) await check().catch(error => killing.fault(firstLine(error)))
const { kills, seed, faults } = killing
console.log(`seed ${seed}: ${kills} kills, ${faults.length} faults; calls cut off: ${refused.join(', ')}`)
console.log(`took long, and ended: ${patient.slow.join('; ') || 'none'}`)
// also shows that nothing of the engine is left on this machine
await engine.stop()
process.exitCode = faults.length > 0 ? 1 : 0

async function look(): Promise<void> {
  const api = createClient(engine.host)
  try {
    const all = await api.call(endpoints.containerList, { query: { all: true } })
    const writer = all.find(({ Names }) => Names.includes('/writer'))
    if (writer?.State !== 'running') killing.fault(`the writer is ${writer?.State ?? 'gone'}`)
    const places = await docker('port', 'writer')
    if (places !== port) killing.fault(`the writer's port was ${port}, is ${places}`)
    const own = writer?.NetworkSettings?.Networks?.['chaos']?.IPAddress
    if (own !== address) killing.fault(`the writer's address was ${address}, is ${own}`)
    const live = all.filter(({ State }) => State === 'running')
    const used = live.flatMap(each =>
      Object.values(each.NetworkSettings?.Networks ?? {}).map(({ IPAddress }) => IPAddress),
    )
    const twice = used.filter((each, i) => each && used.indexOf(each) !== i)
    if (twice.length > 0) killing.fault(`two containers have ${twice.join(', ')}`)
    for (const each of all) {
      const name = each.Names[0]?.slice(1) ?? ''
      const code = /^code-(\d+)$/.exec(name)
      const ended = /^Exited \((\d+)\)/.exec(each.Status)
      // 128: its start was cut short
      const good = code ? [Number(code[1]) % 50, 128, ...(dropped.has(name) ? [137] : [])] : []
      if (code && ended && !good.includes(Number(ended[1]))) killing.fault(`${name} ended with ${ended[1]}`)
    }
    await lookAtBuilt(api)
  } finally {
    api.close()
  }
}

/** What a name stands for is whole; what was cut short has none. */
async function lookAtBuilt(api: ReturnType<typeof createClient>): Promise<void> {
  const built = (await api.call(endpoints.imageList, {})).flatMap(({ RepoTags }) => RepoTags ?? [])
  const whole = 'cat /a /a > /tmp/c; echo end >> /tmp/c; cmp /b /tmp/c && test -d /d/e'
  const tags = built.filter(each => each.startsWith('built:'))
  const tag = tags[Math.floor(random() * tags.length)]
  if (tag !== undefined) {
    const said = await patient.docker('run', '--rm', tag, 'sh', '-c', whole)
    // a client may have taken the name away meanwhile
    if (said.code !== 0 && !/No such image|pull access denied|Unable to find/.test(said.stderr))
      killing.fault(`${tag} is not whole: ${said.stdout}${said.stderr}`.trim())
  }
}

/** Without images and cache there is nothing left of them on the disk. */
async function checkPruned(): Promise<void> {
  const api = createClient(engine.host)
  try {
    await docker('rm', '-f', 'writer')
    await api.call(endpoints.containerPrune, {})
    await api.call(endpoints.imagePrune, { query: { filters: { dangling: ['false'] } } })
    await api.call(endpoints.buildPrune, { query: { all: true } })
  } finally {
    api.close()
  }
  const { data } = engine.roots
  for (const folder of ['images/layers', 'images/tmp', 'images/blobs/sha256', 'build/records', 'build/tmp']) {
    const left = readdirSync(join(data, folder))
    if (left.length > 0) throw new Error(`${folder} still has ${left.join(', ')}`)
  }
}

/** Every line once and in order, over all kills. */
async function checkLines(): Promise<void> {
  const lines = (await docker('logs', 'writer')).split('\n')
  const wrong = lines.findIndex((line, i) => line !== `line ${i}`)
  if (wrong >= 0) throw new Error(`line ${wrong} of ${lines.length} is "${lines[wrong]}"`)
  console.log(`${lines.length} lines, none lost`)
}
