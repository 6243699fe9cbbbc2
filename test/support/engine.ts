/** An engine of our own for one test file: its own roots and socket, ended and taken stock of at the end. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { endpoints } from '../../src/api/endpoints.ts'
import { createClient } from '../../src/client/client.ts'
import { defaultRoots, type PathRoots } from '../../src/engine/base/paths.ts'
import { ownProgram } from '../../src/installation/own-program.ts'
import { Background } from './background.ts'
import { command, type Said } from './command.ts'
import { which } from './needs.ts'
import { clearAway, keeperLog, otherEngine } from './other-engine.ts'
import { patience } from './patience.ts'
import { leftOver, ownGroups, type Stock, takeStock } from './stock.ts'
import { warmVariables } from './warm.ts'

export const launcher = fileURLToPath(new URL('../../src/cli/tscompose', import.meta.url))
const makeImages = fileURLToPath(new URL('../../examples/make-images', import.meta.url))
/** What `make-images --archives busybox` leaves. */
const busybox = fileURLToPath(new URL('../../node_modules/.cache/images/busybox.tar', import.meta.url))

export class TestEngine {
  /** Holds data, run and socket; short, since a socket's path is. */
  readonly folder: string
  #process: ChildProcess | undefined
  #stacks = 0
  #hasDisk = false
  #config: string | undefined
  readonly #other = otherEngine()
  readonly #projects = new Set<string>()
  /** Of what the keeper beside another engine says: what it said before. */
  #logBefore = 0
  #under: readonly string[] = []

  private constructor(folder: string) {
    this.folder = folder
    if (this.#other !== undefined) this.#logBefore = keeperLog(this.#other, this.env).length
  }

  /**
   * Starts an engine with a busybox image in it. `disk`: on a file system of its own, of this size ("24m"); `onOverlay`: on an overlay mount. `config`: what is in its
   * engine.yaml, told where its files are. `under`: the words before its own, of a program that becomes it.
   */
  static async start(
    images: readonly string[] = ['busybox'],
    {
      disk,
      onOverlay = false,
      config,
      under = [],
    }: {
      readonly disk?: string
      readonly onOverlay?: boolean
      readonly config?: (folder: string) => object
      readonly under?: readonly string[]
    } = {},
  ): Promise<TestEngine> {
    const engine = new TestEngine(mkdtempSync(join(tmpdir(), 'tsc-')))
    engine.#under = under
    if (disk !== undefined) {
      engine.#expectOk(await command('mount', ['-t', 'tmpfs', '-o', `size=${disk}`, 'tscompose-test', engine.folder]))
      engine.#hasDisk = true
    }
    if (onOverlay) {
      // its own upper is on a tmpfs: the machine's may be an overlay already
      engine.#expectOk(await command('mount', ['-t', 'tmpfs', 'tscompose-test', engine.folder]))
      const [lower, upper, work, data] = ['lower', 'upper', 'work', 'data'].map(name => join(engine.folder, name))
      for (const folder of [lower, upper, work, data]) mkdirSync(folder!)
      const layers = `lowerdir=${lower},upperdir=${upper},workdir=${work}`
      engine.#expectOk(await command('mount', ['-t', 'overlay', '-o', layers, 'tscompose-test', data!]))
      engine.#hasDisk = true
    }
    if (config) {
      engine.#config = join(engine.folder, 'engine.yaml')
      writeFileSync(engine.#config, JSON.stringify(config(engine.folder)))
    }
    if (engine.#other === undefined) await engine.boot()
    if (images.length > 0) await engine.#make(images)
    return engine
  }

  /** Busybox, which nearly every test has, without the start of two commands of ours. */
  async #make(images: readonly string[]): Promise<void> {
    const isAlone = images.length === 1 && images[0] === 'busybox' && this.#other === undefined
    const words = isAlone ? ['--archives', ...images] : images
    this.#expectOk(await command(makeImages, words, { env: { ...this.env, ...warmVariables() }, timeout: 300_000 }))
    if (!isAlone) return
    const client = createClient(this.host)
    try {
      const query = { fromSrc: '-', repo: 'busybox', changes: ['CMD ["sh"]'] }
      const told = await client.stream(endpoints.imageCreate, { query, body: createReadStream(busybox) })
      for await (const { error } of told) assert.equal(error, undefined)
    } finally {
      client.close()
    }
  }

  get roots(): PathRoots {
    return { data: join(this.folder, 'data'), run: join(this.folder, 'run'), netns: defaultRoots.netns }
  }

  /** What it has made on this host so far. */
  stock(): Promise<Stock> {
    return takeStock(this.roots)
  }

  get host(): string {
    return this.#other ?? `unix://${join(this.folder, 'engine.sock')}`
  }

  get env(): Record<string, string> {
    return {
      DOCKER_HOST: this.host,
      COMPOSE_PROJECT_NAME: '',
      NO_COLOR: '1',
      DOCKER_CONFIG: join(this.folder, 'docker-config'),
      TSCOMPOSE_STATE: join(this.folder, 'state'),
      // nothing stays behind
      TSCOMPOSE_WARM: '0',
    }
  }

  get pid(): number {
    return this.#process!.pid!
  }

  get log(): string {
    if (this.#other !== undefined) return keeperLog(this.#other, this.env).slice(this.#logBefore)
    return existsSync(this.#log) ? readFileSync(this.#log, 'utf8') : ''
  }

  /** Beside a disk of its own, which may be full. */
  get #log(): string {
    return this.#hasDisk ? `${this.folder}.log` : join(this.folder, 'engine.log')
  }

  /** Starts the daemon and resolves when it listens. One of TSCOMPOSE_SCENARIOS_ON is there, and stays. */
  async boot(): Promise<void> {
    const roots = [
      '--socket',
      join(this.folder, 'engine.sock'),
      '--data-root',
      this.roots.data,
      '--run-root',
      this.roots.run,
      ...(this.#config === undefined ? [] : ['--config', this.#config]),
    ]
    const [program, ...first] = [...this.#under, ...ownProgram('engine')]
    const child = spawn(program!, [...first, ...roots, '--ready-fd', '3'], {
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    })
    this.#process = child
    child.stderr!.on('data', chunk => writeFileSync(this.#log, chunk, { flag: 'a' }))
    const ended = once(child, 'exit').then(() => assert.fail(`the engine ended before it was ready:\n${this.log}`))
    const ready = once(createInterface(child.stdio[3] as NodeJS.ReadableStream), 'line')
    const [line] = (await Promise.race([ready, ended])) as string[]
    ended.catch(() => {}) // later ends are boot's business no more
    assert.equal(line, 'ready', `the engine said: ${line}\n${this.log}`)
  }

  /** Ends the daemon with `signal`; its containers go on. */
  async halt(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#process
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill(signal)
    await ended
  }

  tscompose(
    args: readonly string[],
    options: { cwd?: string; input?: string; env?: Record<string, string>; timeout?: number } = {},
  ): Promise<Said> {
    return command(launcher, args, { ...options, env: { ...this.env, ...warmVariables(), ...options.env } })
  }

  docker(args: readonly string[], options: { input?: string; timeout?: number } = {}): Promise<Said> {
    return command(which('docker')!, args, { ...options, env: this.env })
  }

  /** The same, which must end well; its standard output without blanks around it. */
  async runDocker(...args: readonly string[]): Promise<string> {
    const said = await this.docker(args)
    assert.equal(said.code, 0, `docker ${args.join(' ')}\n${said.stdout}${said.stderr}\n${this.log}`)
    return said.stdout.trim()
  }

  /** A new folder with this stack file; its name, and so the project's, is `name`. */
  stack(yaml: string, name = `stack${++this.#stacks}`): Stack {
    const folder = join(mkdtempSync(join(this.folder, 'stack-')), name)
    this.#projects.add(name)
    return new Stack(this, folder, yaml)
  }

  /** Removes all containers and networks, ends the daemon and shows that nothing is left of it on the host. */
  async stop(): Promise<void> {
    if (this.#other !== undefined) {
      await clearAway(this.#other, this.env, this.#projects)
      rmSync(this.folder, { recursive: true, force: true })
      return
    }
    const client = createClient(this.host)
    try {
      // whoever would bring back what is removed
      for (const { Name } of await client.call(endpoints.companionList, {}))
        await client.call(endpoints.companionRemove, { params: { name: Name } })
      for (const { Id } of await client.call(endpoints.containerList, { query: { all: true } }))
        await client.call(endpoints.containerRemove, { params: { id: Id }, query: { force: true, v: true } })
      await client.call(endpoints.networkPrune, {})
    } finally {
      client.close()
      await this.halt()
    }
    // processes that were told to end, and namespaces that the kernel lets go of later, get a moment
    let left = leftOver(undefined, await this.stock())
    for (let tries = 0; tries < 50 * patience && Object.keys(left).length > 0; tries++) {
      await pause(100)
      left = leftOver(undefined, await this.stock())
    }
    const { log } = this
    if (this.#hasDisk) {
      this.#expectOk(await command('umount', ['-R', this.folder]))
      rmSync(this.#log, { force: true })
    }
    if (process.env.KEEP) console.log(`kept ${this.folder}`)
    else rmSync(this.folder, { recursive: true, force: true })
    assert.deepEqual(left, {}, `the engine left things behind\n${log}`)
    assert.deepEqual(ownGroups(this.roots), [], 'the group of an engine that has no containers goes with it')
  }

  #expectOk(said: Said): void {
    assert.equal(said.code, 0, `${said.stdout}${said.stderr}\n${this.log}`)
  }
}

/** One object a line, as `--format json` prints them. */
export function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line) as Record<string, unknown>)
}

/** A folder with a compose.yaml, and the commands run in it. */
export class Stack {
  readonly folder: string
  readonly #engine: TestEngine

  constructor(engine: TestEngine, folder: string, yaml: string) {
    this.#engine = engine
    this.folder = folder
    this.write(yaml)
  }

  /** The project's. */
  get name(): string {
    return basename(this.folder)
  }

  write(yaml: string, name = 'compose.yaml'): void {
    rmSync(join(this.folder, name), { force: true })
    mkdirSync(dirname(join(this.folder, name)), { recursive: true })
    writeFileSync(join(this.folder, name), yaml)
  }

  /** Runs a command and returns whatever it said. */
  try(...args: readonly string[]): Promise<Said> {
    return this.#engine.tscompose(args, { cwd: this.folder })
  }

  /** Starts a command that goes on. */
  begin(...args: readonly string[]): Background {
    return new Background(launcher, args, { cwd: this.folder, env: this.#engine.env })
  }

  /** Runs a command that must succeed and returns its stdout. */
  async run(...args: readonly string[]): Promise<string> {
    const said = await this.try(...args)
    assert.equal(
      said.code,
      0,
      `tscompose ${args.join(' ')} ended with ${said.code}\n${said.stdout}${said.stderr}\n${this.#engine.log}`,
    )
    return said.stdout
  }

  /** What `ps --all` says, by service. */
  async ps(): Promise<readonly Record<string, unknown>[]> {
    return jsonLines(await this.run('ps', '--all', '--format', 'json'))
  }
}
