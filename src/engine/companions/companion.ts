/** One companion: a program that lives as long as the engine does, started again when it dies. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { messageOf } from '../../lib/failure.ts'
import type { Say } from '../base/aside.ts'

export interface CompanionOptions {
  readonly name: string
  /** Path and arguments. */
  readonly command: readonly string[]
  /** NAME=VALUE. */
  readonly environment: readonly string[]
  readonly say: Say
  /** It has exited with 0: nothing is left for it to do. */
  readonly onDone: () => void
  /** It has died so often, one run right after the other, that others should not wait for it. */
  readonly onHopeless: () => void
}

const firstDelay = 100
const longestDelay = 60_000
/** A run as long as this makes up for those before it. */
const steady = 10_000
const hopeless = 4
/** How long it may take to end, in milliseconds. */
const grace = 10_000

export class Companion {
  readonly #options: CompanionOptions
  #process: ChildProcess | undefined
  #again: NodeJS.Timeout | undefined
  #delay = 0
  #deaths = 0
  #closed = false
  #isDone = false
  restarts = 0

  constructor(options: CompanionOptions) {
    this.#options = options
  }

  /** 0: it does not run. */
  get pid(): number {
    return this.#process?.pid ?? 0
  }

  /** It has ended for good. */
  get isDone(): boolean {
    return this.#isDone
  }

  start(): void {
    const [path, ...args] = this.#options.command as [string, ...string[]]
    const startedAt = Date.now()
    const child = spawn(path, args, {
      cwd: '/',
      // a session of its own: ^C in the engine's terminal is the engine's to pass on
      detached: true,
      env: { ...process.env, ...Object.fromEntries(this.#options.environment.map(split)) },
      // what it says is part of the engine's log
      stdio: ['pipe', process.stderr.fd, process.stderr.fd],
    })
    this.#process = child
    child.stdin!.on('error', () => {
      // it has closed its end, or has died, which its exit tells
    })
    child.once('error', error => this.#ended(`cannot be started: ${messageOf(error)}`, startedAt))
    child.once('exit', (code, signal) => {
      if (code === 0 && !this.#closed) this.#done()
      else this.#ended(signal ? `was ended by ${signal}` : `exited with ${code}`, startedAt)
    })
  }

  #done(): void {
    this.#process = undefined
    this.#isDone = true
    this.#options.say(`Companion "${this.#options.name}" has nothing more to do`)
    this.#options.onDone()
  }

  #ended(how: string, startedAt: number): void {
    this.#process = undefined
    if (this.#closed) return
    const ranFor = Date.now() - startedAt
    this.#deaths = ranFor >= steady ? 1 : this.#deaths + 1
    this.#delay = this.#delay === 0 || ranFor >= steady ? firstDelay : Math.min(this.#delay * 2, longestDelay)
    this.#options.say(`Companion "${this.#options.name}" ${how}; it is started again in ${this.#delay} ms`)
    if (this.#deaths === hopeless) this.#options.onHopeless()
    this.#again = setTimeout(() => {
      this.restarts++
      this.start()
    }, this.#delay)
  }

  /** Asks it to end, and ends it when it does not. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#again)
    const child = this.#process
    if (child?.pid === undefined) return
    const ended = once(child, 'exit')
    child.stdin!.end()
    child.kill('SIGTERM')
    const late = new AbortController()
    await Promise.race([
      ended,
      pause(grace, undefined, { signal: late.signal }).then(
        () => child.kill('SIGKILL'),
        () => undefined,
      ),
    ])
    late.abort()
    await ended
  }
}

function split(text: string): readonly [string, string] {
  const at = text.indexOf('=')
  return [text.slice(0, at), text.slice(at + 1)]
}
