/** Commands handed to a process that waits: the same as in a process of their own, and nothing twice. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { command, type Said } from '../support/command.ts'
import { eventually } from '../support/eventually.ts'
import { which } from '../support/needs.ts'

const path = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url))
const start = path('src/cli/start.cjs')
const launch = path('native/build/launch')
const folder = mkdtempSync(join(tmpdir(), 'tsw-'))
const cache = join(folder, 'cache')
const { dev, ino } = statSync(start)
const socket = join(cache, `tscompose-warm-${dev.toString(16)}-${ino.toString(16)}`)
const env = {
  TSCOMPOSE_WARM: '1',
  TSCOMPOSE_WARM_FOLDER: cache,
  NODE_COMPILE_CACHE: cache,
  HOME: folder,
  TSCOMPOSE_STATE: join(folder, 'state'),
}
/** Stands in for Node where nothing is to start plainly. */
const plainly = join(folder, 'plainly')
const plainCode = 97
let waiting: ChildProcess

function wait(...more: readonly string[]): ChildProcess {
  return spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--', path('src/warm/start.cjs'), socket, ...more],
    {
      env: { ...process.env, ...env },
      stdio: 'ignore',
      detached: true,
    },
  )
}

async function waits(): Promise<void> {
  await eventually('a process that waits', () => existsSync(socket), 20_000)
}

/** By the one that waits, or with `plainCode`. */
function attempt(args: readonly string[], options: Parameters<typeof command>[2] = {}): Promise<Said> {
  return command(launch, [plainly, start, ...args], { cwd: folder, ...options, env: { ...env, ...options.env } })
}

/** By the one that waits: again when it was too busy to answer in time. */
function warm(args: readonly string[], options: Parameters<typeof command>[2] = {}): Promise<Said> {
  return taken(() => attempt(args, options))
}

function taken(ask: () => Promise<Said>): Promise<Said> {
  return eventually('a process that takes a command', async () => {
    const said = await ask()
    return said.code === plainCode ? undefined : said
  })
}

function plain(args: readonly string[], options: Parameters<typeof command>[2] = {}): Promise<Said> {
  return command(launch, [process.execPath, start, ...args], {
    cwd: folder,
    ...options,
    env: { ...env, ...options.env, TSCOMPOSE_WARM: '0' },
  })
}

describe('a command that is handed over', () => {
  before(async () => {
    assert.equal((await command(process.execPath, [path('.ci/bundle.ts')])).code, 0)
    mkdirSync(cache, { mode: 0o700 })
    writeFileSync(plainly, `#!/bin/sh\nexit ${plainCode}\n`, { mode: 0o755 })
    writeFileSync(join(folder, 'compose.yaml'), 'name: shop\nservices: {web: {image: "web:${TAG-none}"}}\n')
  })
  beforeEach(async () => {
    endOthers()
    rmSync(socket, { force: true })
    waiting = wait()
    await waits()
  })
  after(() => {
    endOthers()
    rmSync(folder, { recursive: true })
  })

  test('prints, and ends, as in a process of its own, one after the other', async () => {
    const all: readonly (readonly [readonly string[], object?])[] = [
      [['config']],
      [['config', '--services']],
      [['config'], { env: { TAG: '7' } }],
      [['config'], { cwd: '/' }],
      [['-f', '-', 'config'], { input: 'name: piped\nservices: {a: {image: b}}\n' }],
      [['up', '--nonsense']],
      [['version']],
      [['--host', 'unix:///no/such.sock', 'ps']],
    ]
    for (const [args, options] of all)
      assert.deepEqual(await warm(args, options), await plain(args, options), args.join(' '))
    assert.equal(waiting.exitCode, null)
    assert.ok(existsSync(socket))
  })

  test('is waited for again before the one before it has ended', async () => {
    await warm(['version'])
    for (let i = 0; i < 20; i++) {
      const { code } = await attempt(['version'])
      const isWaiting = existsSync(socket)
      assert.deepEqual({ code, isWaiting }, { code: 0, isWaiting: true }, `command ${i}`)
    }
  })

  test('makes files with the mask of who asks, in its folder', async () => {
    const file = join(folder, 'out.yaml')
    const words = ['-c', 'umask 027; exec "$@"', 'sh', launch, plainly, start, 'config', '-o', 'out.yaml']
    const said = await taken(() => command('sh', words, { cwd: folder, env }))
    assert.deepEqual(said, { code: 0, stdout: '', stderr: '' })
    assert.equal(statSync(file).mode & 0o777, 0o640)
  })

  test('does the same on a terminal', { skip: which('script') ? false : 'needs script of bsdutils' }, async () => {
    const onTerminal = (node: string, more: object) =>
      command(
        'script',
        ['-qec', `stty cols 97; ${[launch, node, start, 'config', '--nonsense'].join(' ')}`, '/dev/null'],
        {
          cwd: folder,
          env: { ...env, TERM: 'xterm', NO_COLOR: undefined, FORCE_COLOR: undefined, ...more },
        },
      )
    const said = await taken(() => onTerminal(plainly, {}))
    assert.deepEqual(said, await onTerminal(process.execPath, { TSCOMPOSE_WARM: '0' }))
    assert.match(said.stdout, /\u001b\[31m/)
  })

  test('is interrupted by a signal, and told by its exit code', async () => {
    await withSilentEngine(async engine => {
      const child = await hanging(engine)
      const ended = once(child, 'exit')
      // a third is waited for by nothing
      await eventually('its end', () => {
        child.kill('SIGINT')
        return child.exitCode !== null
      })
      assert.deepEqual(await ended, [130, null])
    })
  })

  test('starts plainly when the one that waits does not answer, and is not run by it later', async () => {
    waiting.kill('SIGSTOP')
    const args = ['config', '-o', join(folder, 'late.yaml')]
    assert.equal((await attempt(args)).code, plainCode)
    waiting.kill('SIGCONT')
    await warm(['version'])
    assert.ok(!existsSync(join(folder, 'late.yaml')))
  })

  test('starts plainly when it would be another thing here', async () => {
    for (const more of [
      { TZ: 'Asia/Tokyo' },
      { NODE_DEBUG: 'tscompose:plan' },
      { BIG: 'x'.repeat(100_000) },
      { TSCOMPOSE_WARM: '0' },
    ])
      assert.equal((await attempt(['version'], { env: more })).code, plainCode, Object.keys(more).join())
    assert.equal((await attempt(['engine', 'status'])).code, plainCode)
    const limited = await command('sh', ['-c', 'ulimit -n 64; exec "$@"', 'sh', launch, plainly, start, 'version'], {
      env,
    })
    assert.equal(limited.code, plainCode)
    assert.equal((await warm(['version'])).code, 0)
  })

  test('starts plainly while another one is run, for which another process waits then', async () => {
    await waitBriefly()
    await withSilentEngine(async engine => {
      const child = await hanging(engine)
      const ended = once(child, 'exit')
      assert.equal((await attempt(['version'])).code, plainCode)
      // a long one: the next process
      await waits()
      assert.equal((await warm(['version'])).code, 0)
      // the launcher is killed: the command with it
      child.kill('SIGKILL')
      await ended
      await eventually('its end', () => waiting.signalCode === 'SIGKILL')
    })
  })

  test('is waited for again by whoever has run a long one, and not by who stood in for it', async () => {
    await waitBriefly()
    await withSilentEngine(async engine => {
      const child = await hanging(engine)
      await waits()
      assert.equal(others().length, 2)
      const ended = once(child, 'exit')
      engine.hangUp()
      await ended
      await eventually('one alone', () => others().length === 1)
      assert.deepEqual(others(), [waiting.pid])
      assert.equal((await warm(['version'])).code, 0)
      assert.deepEqual(others(), [waiting.pid])
    })
  })

  test('is waited for no longer than it should be, by nobody else either', async () => {
    waiting.kill('SIGKILL')
    await once(waiting, 'exit')
    rmSync(socket, { force: true })
    const brief = wait('300')
    assert.deepEqual(await once(brief, 'exit'), [0, null])
    assert.equal(existsSync(socket), false)
  })

  test('has another process started in the place of one that was killed, whose socket is still there', async () => {
    waiting.kill('SIGKILL')
    await once(waiting, 'exit')
    assert.ok(existsSync(socket))
    assert.equal((await command(launch, [process.execPath, start, 'version'], { cwd: folder, env })).code, 0)
    await waits()
    assert.equal((await warm(['version'])).code, 0)
  })

  test('has a process started that waits for the next, which does not see that it was', async () => {
    endOthers()
    rmSync(socket, { force: true })
    const said = await command(launch, [process.execPath, start, 'config', '--environment'], { cwd: folder, env })
    assert.ok(!said.stdout.includes('TSCOMPOSE_WARM_SOCKET'))
    await waits()
    await warm(['version'])
  })
})

/** A command that is run by the one that waits, and has no end. */
function hanging({ host, calls }: SilentEngine): Promise<ChildProcess> {
  const options = { cwd: folder, env: { ...process.env, ...env }, stdio: 'ignore' } as const
  return eventually('a command that is run', async () => {
    const child = spawn(launch, [plainly, start, '--host', host, 'ps'], options)
    const ended = once(child, 'exit')
    await Promise.race([ended, eventually('its first call', () => calls() > 0)])
    return child.exitCode === null ? child : undefined
  })
}

/** One in whose place another waits after half a second. */
async function waitBriefly(): Promise<void> {
  endOthers()
  rmSync(socket, { force: true })
  waiting = wait('600000', '500')
  await waits()
}

/** Pids of those that were started for this folder's socket. */
function others(): readonly number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .filter(pid => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(socket)
      } catch {
        // it has ended
        return false
      }
    })
    .map(Number)
}

/** Those as well that one of them was starting meanwhile. */
function endOthers(): void {
  for (let pids = others(); pids.length > 0; pids = others())
    for (const pid of pids)
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // it has ended
      }
}

/** It takes calls and never answers. */
interface SilentEngine {
  readonly host: string
  calls(): number
  /** Ends all connections. */
  hangUp(): void
}

async function withSilentEngine(work: (engine: SilentEngine) => Promise<void>): Promise<void> {
  const connections: Socket[] = []
  const server = createServer(connection => void connections.push(connection))
  const file = join(folder, 'silent.sock')
  server.listen(file)
  await once(server, 'listening')
  try {
    await work({
      host: `unix://${file}`,
      calls: () => connections.length,
      hangUp: () => {
        for (const each of connections) each.destroy()
      },
    })
  } finally {
    server.close()
    rmSync(file, { force: true })
  }
}
