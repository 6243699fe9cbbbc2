/** What follows a start: the exit is recorded, health is probed, the policy starts again or removes. */
import { messageOf } from '../../lib/failure.ts'
import type { Exit, Supervised } from '../../runtime/runtime.ts'
import { HealthSchedule, type ProbeHold, type ProbeOutcome } from '../health/schedule.ts'
import { healthPlan, startingHealth } from '../health/state.ts'
import type { Container } from './container.ts'
import { type AfterExit, exited } from './exited.ts'
import { type Parts, tell } from './parts.ts'
import { unknownCode } from './records.ts'

export interface LifeOptions {
  /** Runs a health check's test in a container. */
  readonly probe: (container: Container, test: readonly string[], hold: ProbeHold) => Promise<ProbeOutcome>
  /** Waits for its turn, and starts it if it is still `restarting` then. */
  readonly restart: (container: Container) => Promise<void>
  /** Waits for its turn, and removes it with its anonymous volumes if it is still there. */
  readonly remove: (container: Container) => Promise<void>
}

export class Life {
  readonly #parts: Parts
  readonly #options: LifeOptions
  /** Restarts and removals under way. */
  readonly #following = new Set<Promise<void>>()
  #closed = false

  constructor(parts: Parts, options: LifeOptions) {
    this.#parts = parts
    this.#options = options
  }

  /** From here on its exit and its health are followed. */
  started(container: Container, process: Supervised): void {
    const plan = healthPlan(container.record.config.Healthcheck)
    if (plan)
      container.health = new HealthSchedule({
        plan,
        startedAt: process.startedAt,
        state: container.state.health ?? startingHealth,
        probe: (test, hold) => this.#options.probe(container, test, hold),
        onState: (health, before) => {
          container.note({ health })
          void container.save()
          if (health.Status !== before.Status) tell(this.#parts, container, `health_status: ${health.Status}`)
        },
      })
    this.ended(container, process.exited)
  }

  /** Follows up an exit. Whoever waits for it is told whatever happens: an exit that nobody hears of would keep a stop waiting for ever. */
  ended(container: Container, exit: Promise<Exit>): void {
    const recorded = this.#record(container, exit)
    container.settled = recorded.then(() => undefined)
    void recorded.then(({ how, next }) => {
      if (!next) return
      // a removal takes its turn before anybody who is told now can take theirs
      if ('remove' in next) this.#track(this.#options.remove(container), `Cannot remove "${container.name}"`)
      if ('restart' in next) this.#restartLater(container, next.restart)
      container.announceExit(how)
    })
  }

  /** `next` is missing when there is no engine any more to do it: the next one records the exit. */
  async #record(container: Container, exit: Promise<Exit>): Promise<{ how: Exit; next: AfterExit | undefined }> {
    const how = await exit.catch((error): Exit => {
      this.#parts.say(`Lost the monitor of "${container.name}": ${messageOf(error)}`)
      return { kind: 'exited', code: unknownCode, signal: undefined, oomKilled: false, finishedAt: new Date() }
    })
    if (this.#closed) return { how, next: undefined }
    try {
      return { how, next: await exited(this.#parts, container, how) }
    } catch (error) {
      this.#parts.say(`Cannot record the exit of "${container.name}": ${messageOf(error)}`)
      return { how, next: { nothing: true } }
    }
  }

  #restartLater(container: Container, delay: number): void {
    container.restart = setTimeout(() => {
      if (!this.#closed) this.#track(this.#options.restart(container), `Cannot restart "${container.name}"`)
    }, delay)
  }

  /** Nobody waits for it but `close`; a failure is a line in the log. */
  #track(work: Promise<void>, what: string): void {
    const tracked = work
      .catch(error => {
        this.#parts.say(`${what}: ${messageOf(error)}`)
      })
      .finally(() => this.#following.delete(tracked))
    this.#following.add(tracked)
  }

  /** Containers run on; nothing is started or probed any more. */
  async close(containers: readonly Container[]): Promise<void> {
    this.#closed = true
    for (const container of containers) {
      clearTimeout(container.restart)
      for (const client of container.waiting) client.end()
    }
    await Promise.all(containers.map(container => container.health?.close()))
    await Promise.all(this.#following)
  }
}
