/**
 * An engine that is killed at random moments while clients use it, over and over, and looked after following each start. A run that was broken off
 * (by SIGINT or SIGTERM in order) goes on where it was: CHAOS_KEPT names the file (JSON) of what it has come to.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import type { TestEngine } from '../support/engine.ts'
import { randomOf } from './random.ts'

interface Kept {
  readonly seed: number
  readonly kills: number
  readonly faults: readonly string[]
}

/** Milliseconds that a client takes at most before it does the next thing: many kills want an engine that starts soon, not a busy machine. */
const thinking = 500

/** Milliseconds that are waited for a client at most before a kill. */
const longestWait = 10_000

/** What is known of the run that CHAOS_KEPT, CHAOS_SEED, CHAOS_FROM and CHAOS_KILLS (300) choose. */
export class Killing {
  readonly seed: number
  /** How many kills there shall be. */
  readonly most: number
  /** Done so far, those of broken-off runs included. */
  kills: number
  readonly faults: string[]
  readonly #file = process.env['CHAOS_KEPT']
  #stopping = false
  #brokenOff = false
  #working = 0
  #clients = -100
  /** What clients have had done. */
  #done = 0
  /** While it is there, clients begin nothing. */
  #rest: Promise<void> | undefined

  constructor() {
    const kept = this.#file !== undefined && existsSync(this.#file) ? readKept(this.#file) : undefined
    this.seed = kept?.seed ?? Number(process.env['CHAOS_SEED'] ?? Date.now() % 1e6)
    this.kills = kept?.kills ?? Number(process.env['CHAOS_FROM'] ?? 0)
    this.faults = [...(kept?.faults ?? [])]
    this.most = Number(process.env['CHAOS_KILLS'] ?? 300)
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => {
        console.log(`${signal}: ends after this kill`)
        this.#brokenOff = true
      })
    console.log(`seed ${this.seed}, from kill ${this.kills + 1} to ${this.most}`)
  }

  /** Numbers for one purpose: those of a kill are the same whether the run was broken off before it or not. */
  random(purpose: number): () => number {
    return randomOf(Math.imul(this.seed, 0x9e3779b1) + Math.imul(purpose, 0x85ebca6b))
  }

  fault(what: string): void {
    this.faults.push(`after kill ${this.kills}: ${what}`)
    console.log(this.faults.at(-1))
  }

  /** A client that goes on whatever happens to its engine; what it is refused is counted, not judged. */
  async client(work: (round: number) => Promise<void>): Promise<string> {
    const random = this.random(--this.#clients)
    let refused = 0
    let round = this.kills * 1000
    const first = round
    for (; !this.#stopping; round++)
      try {
        await pause(random() * thinking)
        await this.#rest
        this.#working++
        await work(round)
        this.#done++
      } catch (error) {
        if (error instanceof Wrong) this.fault(error.message)
        // the engine was killed in the middle, or is not there yet
        refused++
      } finally {
        this.#working--
      }
    return `${refused} of ${round - first}`
  }

  /** Kills until there have been enough, and `look`s after each start; false when the engine did not start again. */
  async run(engine: TestEngine, look: (kill: number) => Promise<void>): Promise<boolean> {
    while (this.kills < this.most && !this.#brokenOff) {
      const random = this.random(this.kills + 1)
      // now and then something has gone well since the last one, however busy the machine is
      const [before, end] = [this.#done, performance.now() + longestWait]
      while (this.kills % 3 === 0 && this.#done === before && performance.now() < end) await pause(20)
      await pause(30 + random() * 800)
      await engine.halt('SIGKILL')
      this.kills++
      if (random() < 0.3) await pause(random() * 200)
      try {
        await engine.boot()
      } catch (error) {
        this.fault(`does not start: ${firstLine(error)}`)
        return false
      }
      await look(this.kills).catch(error => this.fault((error as Error).message))
      this.#keep()
      if (this.kills % 25 === 0) console.log(`${this.kills} kills, ${this.faults.length} faults`)
    }
    return true
  }

  /** While no client does anything. */
  async rest(look: () => Promise<void>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#rest = promise
    try {
      while (this.#working > 0) await pause(20)
      await look()
    } finally {
      this.#rest = undefined
      resolve()
    }
  }

  /** Its clients end after what they are at. */
  stop(): void {
    this.#stopping = true
  }

  #keep(): void {
    const { seed, kills, faults } = this
    if (this.#file !== undefined) writeFileSync(this.#file, JSON.stringify({ seed, kills, faults }))
  }
}

/** What no kill excuses: a client throws it to have it counted as a fault. */
export class Wrong extends Error {}

export function firstLine(error: unknown): string {
  return (error as Error).message.split('\n')[0]!
}

function readKept(path: string): Kept {
  const { seed, kills, faults } = JSON.parse(readFileSync(path, 'utf8')) as Kept
  if (!Number.isInteger(seed) || !Number.isInteger(kills) || !Array.isArray(faults))
    throw new Error(`"${path}" is not what a run of chaos keeps`)
  return { seed, kills, faults }
}
