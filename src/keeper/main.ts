/** The keeper: a resident process, a client of one engine, that sees to it that stacks stay what they were last asked to be. */
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { keeperVersion } from '../api/keeper.ts'
import { createClient } from '../client/client.ts'
import { markOf } from '../holding/lost.ts'
import { withSources } from '../installation/source-places.ts'
import { isFailure, messageOf } from '../lib/failure.ts'
import { Keeper } from './keeper.ts'
import { listenAlone } from './listen.ts'
import { Records } from './records.ts'
import { createServer } from './server.ts'

const options = {
  host: { type: 'string' },
  socket: { type: 'string' },
  state: { type: 'string' },
  companion: { type: 'boolean' },
  supervised: { type: 'boolean' },
} as const

async function main(): Promise<void> {
  process.umask(0o077)
  const { values } = parseArgs({ options, strict: true })
  const { host, socket, state, companion = false, supervised = false } = values
  if (host === undefined || socket === undefined || state === undefined)
    throw new Error('Cannot start the keeper: --host, --socket and --state are needed')
  const client = createClient(host)
  const server = createServer({
    get keeper() {
      return keeper
    },
    status: () => ({
      Pid: process.pid,
      Version: keeperVersion,
      Host: host,
      Stacks: keeper.list().length,
      Memory: process.memoryUsage.rss(),
    }),
    // a companion makes room for the form that lies in its place now; otherwise whoever asks starts that
    stop: () => end(supervised ? 0 : 1),
  })
  await listenAlone(server, socket)
  // without it nothing of what is held can be running
  const mark = markOf(socket)
  const phase = existsSync(mark) ? 'returned' : 'booted'
  writeFileSync(mark, '')
  const keeper = new Keeper({
    client,
    records: new Records(state, say),
    isCompanion: companion,
    phase,
    say,
    onRest: tidy,
    onIdle: () => {
      rmSync(mark, { force: true })
      end(0)
    },
  })
  let ending = false
  /** 0: nothing is left to do; anything else has whoever keeps us start us again. */
  const end = (code: number) => {
    if (ending) return
    ending = true
    rmSync(socket, { force: true })
    server.close()
    server.closeAllConnections()
    keeper.close().then(
      () => process.exit(code),
      error => {
        say(`Cannot end in order: ${messageOf(error)}`)
        process.exit(1)
      },
    )
  }
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, () => end(1))
  if (companion) {
    // our input ends with the engine, however that ends
    process.stdin.on('end', () => end(1))
    process.stdin.on('error', () => end(1))
    process.stdin.resume()
  }
  keeper.start()
  say(`Keeper of ${host} listens at "${socket}", holds ${keeper.list().length}`)
}

let tidying: NodeJS.Timeout | undefined

/** A process that waits for days gives back what its last work has left behind. */
function tidy(): void {
  clearTimeout(tidying)
  tidying = setTimeout(() => void globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' }), 2000)
  tidying.unref()
}

/** One line of the log. */
function say(line: string): void {
  process.stderr.write(`${new Date().toISOString()} keeper: ${withSources(line)}\n`)
}

/** Runs it as this process's own program. */
export function start(): void {
  // a log that cannot be written must not end it
  process.stderr.on('error', () => undefined)
  process.on('uncaughtException', error => {
    say(`defect: ${error.stack ?? error.message}`)
    process.exit(1)
  })
  main().catch(error => {
    say(messageOf(error))
    if (isFailure(error) && error.hint) say(`hint: ${error.hint}`)
    process.exit(isFailure(error, 'conflict') ? 75 : 1)
  })
}
