/** Commands of which none may hang: one that takes long has all that could be the reason told, is waited for, and at last made to say where it is. */
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import type { TestEngine } from '../support/engine.ts'
import { which } from '../support/needs.ts'
import { Wrong } from './killing.ts'
import { standing } from './standing.ts'

/** Milliseconds after which a command is looked into. */
const long = 20_000
/** And after which it is taken to hang: a busy machine is slow, and ends. */
const forever = 120_000

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export class Patient {
  readonly #engine: TestEngine
  /** Commands that took long and ended, with how long they took. */
  readonly slow: string[] = []

  constructor(engine: TestEngine) {
    this.#engine = engine
  }

  docker(...args: readonly string[]): Promise<Ended> {
    return this.run(which('docker')!, args)
  }

  /** @throws Wrong when it hangs, with what everybody was at. */
  async run(program: string, args: readonly string[], { cwd }: { readonly cwd?: string } = {}): Promise<Ended> {
    const begun = performance.now()
    const env = { ...process.env, ...this.#engine.env, NODE_OPTIONS: '', NODE_DEBUG: '' }
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
    const what = `${program.split('/').at(-1)} ${args.join(' ')}`
    const over = new AbortController()
    let hung: string | undefined
    const watching = this.#watch(what, over.signal).then(told => {
      hung = told
      // programs in Go say where each of their routines is, others just end
      if (told !== undefined) child.kill('SIGQUIT')
    })
    const code = new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve))
    try {
      const [stdout, stderr, status] = await Promise.all([text(child.stdout), text(child.stderr), code])
      const took = performance.now() - begun
      if (hung !== undefined) throw new Wrong(`${what} hangs\n${hung}\nit said: ${stdout}${stderr}`)
      if (took > long) this.slow.push(`${what}: ${Math.round(took)} ms`)
      return { code: status, stdout, stderr }
    } finally {
      over.abort()
      await watching
    }
  }

  /** What everybody was at when it had taken long, should it never end. */
  async #watch(what: string, over: AbortSignal): Promise<string | undefined> {
    try {
      await pause(long, undefined, { signal: over })
      const first = await standing(this.#engine)
      console.log(`${what} has not ended after ${long} ms:\n${first}`)
      await pause(forever - long, undefined, { signal: over })
      return `after ${long} ms: ${first}\nafter ${forever} ms: ${await standing(this.#engine)}`
    } catch (error) {
      if (!over.aborted) throw error
      return undefined
    }
  }
}
