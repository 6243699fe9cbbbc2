/** Probes a running container by its plan, one at a time, until stopped. */
import { afterProbe, type HealthPlan, type HealthState, keptOutput, untilNextProbe } from './state.ts'

/** What a probe found; its output is cut by the schedule. */
export interface ProbeOutcome {
  readonly exitCode: number
  readonly output: string
}

/** What a probe under way is held by. */
export interface ProbeHold {
  /** Fires when it is to be killed. */
  readonly signal: AbortSignal
  /** To be called as soon as the test runs: its timeout counts from here, as making a process takes its time on a busy machine. */
  readonly begun: () => void
}

/** How long a test may take until it runs, ms; as Docker has it. */
const startWithin = 30_000

export interface HealthOptions {
  readonly plan: HealthPlan
  readonly startedAt: Date
  readonly state: HealthState
  /** Runs the test in the container. */
  readonly probe: (test: readonly string[], hold: ProbeHold) => Promise<ProbeOutcome>
  /** Called after each probe with the new state. */
  readonly onState: (state: HealthState, before: HealthState) => void
}

export class HealthSchedule {
  #state: HealthState
  readonly #options: HealthOptions
  readonly #stopped = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #probing: Promise<void> | undefined

  constructor(options: HealthOptions) {
    this.#options = options
    this.#state = options.state
    this.#plan()
  }

  get state(): HealthState {
    return this.#state
  }

  /** Ends the schedule; a probe under way is killed and its result dropped. */
  stop(): void {
    this.#stopped.abort()
    clearTimeout(this.#timer)
  }

  /** Ends the schedule and waits for a probe under way. */
  async close(): Promise<void> {
    this.stop()
    await this.#probing
  }

  #plan(): void {
    if (this.#stopped.signal.aborted) return
    const wait = untilNextProbe(this.#options.plan, this.#state, Date.now() - this.#options.startedAt.getTime())
    this.#timer = setTimeout(() => {
      this.#probing = this.#probe().finally(() => {
        this.#probing = undefined
        this.#plan()
      })
    }, wait)
  }

  async #probe(): Promise<void> {
    const { plan, probe, onState, startedAt } = this.#options
    const start = new Date()
    const late = new AbortController()
    let exceeded = `timed out starting health check: it did not run within ${startWithin}ms`
    let timer = setTimeout(() => late.abort(), startWithin)
    const begun = () => {
      clearTimeout(timer)
      exceeded = `Health check exceeded timeout (${plan.timeout}ms)`
      timer = setTimeout(() => late.abort(), plan.timeout)
    }
    let outcome: ProbeOutcome
    try {
      outcome = await probe(plan.test, { signal: AbortSignal.any([late.signal, this.#stopped.signal]), begun })
      if (late.signal.aborted) outcome = timedOut(exceeded, outcome.output)
    } catch (error) {
      outcome = late.signal.aborted
        ? timedOut(exceeded, '')
        : { exitCode: -1, output: error instanceof Error ? error.message : String(error) }
    } finally {
      clearTimeout(timer)
    }
    if (this.#stopped.signal.aborted) return
    const before = this.#state
    this.#state = afterProbe(plan, before, {
      result: {
        Start: start.toISOString(),
        End: new Date().toISOString(),
        ExitCode: outcome.exitCode,
        Output: cut(outcome.output),
      },
      sinceStart: start.getTime() - startedAt.getTime(),
    })
    onState(this.#state, before)
  }
}

function timedOut(exceeded: string, output: string): ProbeOutcome {
  return { exitCode: -1, output: `${exceeded}${output ? `: ${output}` : ''}` }
}

function cut(output: string): string {
  return Buffer.byteLength(output) <= keptOutput
    ? output
    : `${Buffer.from(output).subarray(0, keptOutput).toString('utf8')}...`
}
