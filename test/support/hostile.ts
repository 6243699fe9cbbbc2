/** An engine with a canary on the host beside it, which nothing that containers do may change or read, and images that mean harm. */
import assert from 'node:assert/strict'
import { copyFileSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { command, type Said } from './command.ts'
import { TestEngine } from './engine.ts'
import { lacking, program, root, which } from './needs.ts'

export const secret = 'CANARY-SECRET'

/** For the `skip` of tests with a Hostile. */
export const hostileSkip = (...needs: readonly (string | false)[]): string | false =>
  lacking(root(), program('busybox'), program('nft'), program('docker'), program('tar'), ...needs)

export interface Answer {
  readonly status: number
  readonly text: string
}

export class Hostile {
  readonly engine: TestEngine
  /** A folder of the host with one file, "victim", which holds the secret. */
  readonly canary: string
  readonly #before: string

  private constructor(engine: TestEngine) {
    this.engine = engine
    this.canary = join(engine.folder, 'canary')
    mkdirSync(this.canary, { mode: 0o755 })
    writeFileSync(join(this.canary, 'victim'), secret, { mode: 0o640 })
    this.#before = this.#look()
  }

  static async start(...options: Parameters<typeof TestEngine.start>): Promise<Hostile> {
    return new Hostile(await TestEngine.start(...options))
  }

  /** All that a change to the canary would change. */
  #look(): string {
    const of = (path: string) => {
      const { mode, uid, gid, nlink, ctimeNs } = lstatSync(path, { bigint: true })
      return [path, mode.toString(8), uid, gid, nlink, ctimeNs].join(' ')
    }
    const victim = join(this.canary, 'victim')
    return [of(this.canary), of(victim), ...readdirSync(this.canary), readFileSync(victim, 'utf8')].join('\n')
  }

  /** @throws when something was made, removed, written or changed in it */
  holdCanary(): void {
    assert.equal(this.#look(), this.#before, 'something of the host was changed')
  }

  async stop(): Promise<void> {
    try {
      this.holdCanary()
    } finally {
      await this.engine.stop()
    }
  }

  /** Imports a busybox root that `change` has made hostile, with lines of a Dockerfile ("-c", "VOLUME /proc"). */
  async image(name: string, change: (tree: string) => void, ...options: readonly string[]): Promise<string> {
    const tree = join(this.engine.folder, `root-${name}`)
    for (const folder of ['bin', 'etc', 'tmp']) mkdirSync(join(tree, folder), { recursive: true })
    copyFileSync(which('busybox')!, join(tree, 'bin/busybox'))
    for (const link of 'sh cat ls id sleep pwd mkdir ln rm true echo stat touch readlink dd env seq mv chmod test'.split(
      ' ',
    ))
      symlinkSync('busybox', join(tree, 'bin', link))
    writeFileSync(join(tree, 'etc/passwd'), 'root:x:0:0::/:/bin/sh\n')
    change(tree)
    const archive = join(this.engine.folder, `${name}.tar`)
    assert.equal((await command('tar', ['-C', tree, '--numeric-owner', '-cf', archive, '.'])).code, 0)
    const said = await this.engine.docker(['import', ...options, archive, `${name}:latest`])
    assert.equal(said.code, 0, said.stderr)
    return name
  }

  /** `docker run --rm`, which has to end within twenty seconds. */
  run(...args: readonly string[]): Promise<Said> {
    return this.engine.docker(['run', '--rm', ...args], { timeout: 20_000 })
  }

  /** `docker run -d`, whose container goes with the engine or by `remove`. */
  async begin(name: string, ...args: readonly string[]): Promise<void> {
    await this.engine.runDocker('run', '-d', '--name', name, ...args)
  }

  async remove(...names: readonly string[]): Promise<void> {
    await this.engine.runDocker('rm', '-fv', ...names)
  }

  async refused(reason: RegExp, ...args: readonly string[]): Promise<void> {
    const said = await this.run(...args)
    assert.notEqual(said.code, 0, args.join(' '))
    assert.match(said.stderr, reason)
    assert.doesNotMatch(all(said), new RegExp(secret))
  }

  /** A request without a client's own tidying of paths and bodies. */
  raw(method: string, path: string, body?: Buffer | object): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const socketPath = join(this.engine.folder, 'engine.sock')
      const headers = { 'content-type': path.includes('/archive') ? 'application/x-tar' : 'application/json' }
      const sent = request({ socketPath, method, path, headers }, answer => {
        const chunks: Buffer[] = []
        answer.on('data', chunk => chunks.push(chunk))
        answer.on('end', () => resolve({ status: answer.statusCode!, text: Buffer.concat(chunks).toString('latin1') }))
        answer.on('error', reject)
      })
      sent.on('error', reject)
      sent.end(body === undefined || Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body)))
    })
  }

  /** Milliseconds the engine takes to answer. */
  async ping(): Promise<number> {
    const began = performance.now()
    assert.equal((await this.raw('GET', '/_ping')).text, 'OK')
    return performance.now() - began
  }

  /** The slowest of its answers while something goes on. */
  async slowestPing(during: Promise<unknown>): Promise<number> {
    let over = false
    const end = during.finally(() => (over = true))
    let slowest = 0
    while (!over) {
      slowest = Math.max(slowest, await this.ping())
      await new Promise(resolve => setTimeout(resolve, 20))
    }
    await end
    return slowest
  }

  async inspect(name: string): Promise<{ readonly State: { readonly Pid: number; readonly Running: boolean } }> {
    return JSON.parse((await this.raw('GET', `/containers/${name}/json`)).text)
  }
}

export function all(said: Said): string {
  return said.stdout + said.stderr
}
