/** The jobs of a held stack: each is run when its schedule says so, and what became of its runs is remembered. */
import { Cron } from 'croner'
import type { Job, JobRun } from '../api/keeper.ts'
import type { Client } from '../client/client.ts'
import { Failure, isFailure, messageOf } from '../lib/failure.ts'
import { newId } from '../lib/ids.ts'
import type { Project } from '../model/project.ts'
import type { Schedule } from '../model/schedule.ts'
import type { JobHistory } from './job-history.ts'
import { containerOf, followJob, runJob, stopJob } from './job-run.ts'

export interface JobsOptions {
  readonly client: Client
  readonly history: JobHistory
  /** Milliseconds since 1970: what was due before is nobody's business. */
  readonly since: number
  readonly say: (line: string) => void
}

/** A timer takes 31 bits of milliseconds; and the machine may sleep, or its clock be set. */
const longestWait = 6 * 3600_000

interface Going {
  readonly run: JobRun
  ended: Promise<void>
  replaced: boolean
}

export class Jobs {
  readonly #options: JobsOptions
  readonly #project: Project
  readonly #closing = new AbortController()
  readonly #timers = new Map<string, NodeJS.Timeout>()
  readonly #going = new Map<string, Set<Going>>()

  constructor(project: Project, options: JobsOptions) {
    this.#project = project
    this.#options = options
  }

  start(): void {
    for (const [service, schedule] of this.#scheduled()) {
      this.#resume(service, schedule)
      this.#makeUp(service, schedule)
      this.#arm(service, schedule)
    }
  }

  list(): readonly Job[] {
    return this.#scheduled().map(([service, schedule]) => {
      const next = cronOf(schedule).nextRun()
      return {
        Stack: this.#project.name,
        Service: service,
        Cron: schedule.cron,
        Timezone: schedule.timezone ?? '',
        Concurrency: schedule.concurrency,
        Missed: schedule.missed,
        ...(next && { Next: next.toISOString() }),
        Runs: this.#options.history.of(service),
      }
    })
  }

  /** Runs it now. @throws Failure `not-found` for what is no job */
  runNow(service: string): JobRun {
    const schedule = Object.hasOwn(this.#project.services, service)
      ? this.#project.services[service]!.schedule
      : undefined
    if (!schedule) throw new Failure('not-found', `Service "${service}" has no schedule`)
    return this.#begin(service, schedule, { due: new Date(), by: 'person' })
  }

  /** Nothing is started any more; what runs goes on, and whoever comes next learns how it ended. */
  async close(): Promise<void> {
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#closing.abort()
    await Promise.all([...this.#going.values()].flatMap(each => [...each].map(({ ended }) => ended)))
  }

  #scheduled(): readonly (readonly [string, Schedule])[] {
    return Object.values(this.#project.services).flatMap(({ name, schedule }) =>
      schedule ? [[name, schedule] as const] : [],
    )
  }

  #arm(service: string, schedule: Schedule): void {
    const next = cronOf(schedule).nextRun()
    if (!next) return
    const wait = next.getTime() - Date.now()
    const timer = setTimeout(
      () => {
        if (Date.now() >= next.getTime()) this.#begin(service, schedule, { due: next, by: 'schedule' })
        this.#arm(service, schedule)
      },
      Math.max(0, Math.min(wait, longestWait)),
    )
    this.#timers.set(service, timer)
  }

  /** What was due since the last run that is known of, or since the stack was asked for. */
  #makeUp(service: string, schedule: Schedule): void {
    const { history, since } = this.#options
    const last = history.of(service).find(({ By }) => By !== 'person')
    const from = Math.max(since, last ? Date.parse(last.Due) : 0)
    const due = lastBetween(schedule, from, Date.now())
    if (!due) return
    if (schedule.missed === 'run') this.#begin(service, schedule, { due, by: 'missed' })
    else
      history.put(service, { Id: newId(), Due: due.toISOString(), By: 'schedule', Outcome: 'missed' }, schedule.history)
  }

  #begin(service: string, schedule: Schedule, { due, by }: { readonly due: Date; readonly by: JobRun['By'] }): JobRun {
    const going = [...(this.#going.get(service) ?? [])]
    const run: JobRun = { Id: newId(), Due: due.toISOString(), By: by, Outcome: 'running' }
    if (going.length > 0 && schedule.concurrency === 'forbid') {
      const skipped: JobRun = { ...run, Outcome: 'skipped', Error: 'the run before still goes on' }
      this.#options.history.put(service, skipped, schedule.history)
      return skipped
    }
    const before = schedule.concurrency === 'replace' ? going : []
    for (const each of before) each.replaced = true
    this.#follow(service, schedule, run, async (signal, isReplaced) => {
      await this.#end(service, before)
      // those that came due while it waited have the one before them in their way, and not this
      if (isReplaced()) throw new Failure('cancelled', 'the next run has taken its place')
      const started: JobRun = { ...run, StartedAt: new Date().toISOString() }
      this.#options.history.put(service, started, schedule.history)
      const { client } = this.#options
      return await runJob({ client, project: this.#project, service, id: run.Id, isReplaced }, signal)
    })
    return run
  }

  async #end(service: string, before: readonly Going[]): Promise<void> {
    for (const each of before) {
      await stopJob(this.#options.client, containerOf({ project: this.#project, service, id: each.run.Id }))
      await each.ended
    }
  }

  /** Runs that the keeper before has begun. */
  #resume(service: string, schedule: Schedule): void {
    for (const run of this.#options.history.of(service).filter(({ Outcome }) => Outcome === 'running')) {
      const container = containerOf({ project: this.#project, service, id: run.Id })
      this.#follow(service, schedule, run, signal => followJob(this.#options.client, container, signal))
    }
  }

  #follow(
    service: string,
    schedule: Schedule,
    run: JobRun,
    work: (signal: AbortSignal, isReplaced: () => boolean) => ReturnType<typeof runJob>,
  ): void {
    const { history, say } = this.#options
    const { signal } = this.#closing
    const name = `${this.#project.name}: job ${service}`
    const put = (change: Partial<JobRun>) => {
      const now = history.of(service).find(({ Id }) => Id === run.Id) ?? run
      history.put(service, { ...now, ...change, FinishedAt: new Date().toISOString() }, schedule.history)
    }
    history.put(service, run, schedule.history)
    say(`${name} begins (${run.By}, due ${run.Due})`)
    const all = this.#going.get(service) ?? new Set()
    this.#going.set(service, all)
    const going: Going = { run, ended: Promise.resolve(), replaced: false }
    going.ended = work(signal, () => going.replaced)
      .then(
        ({ exitCode, output }) => {
          const outcome = going.replaced ? 'replaced' : exitCode === 0 ? 'done' : 'failed'
          put({ Outcome: outcome, ExitCode: exitCode, Output: output })
          say(`${name} is ${outcome}, exit code ${exitCode}`)
        },
        error => {
          if (signal.aborted) return
          const isLost = isFailure(error, 'not-found') && run.StartedAt !== undefined
          const Outcome = going.replaced ? 'replaced' : isLost ? 'lost' : 'failed'
          put({ Outcome, Error: messageOf(error) })
          say(`${name} is ${Outcome}: ${messageOf(error)}`)
        },
      )
      .finally(() => all.delete(going))
    all.add(going)
  }
}

function cronOf({ cron, timezone }: Schedule): Cron {
  return new Cron(cron, { paused: true, ...(timezone === undefined ? {} : { timezone }) })
}

/** The last time that it was due after `from` and not after `to`, milliseconds since 1970. */
export function lastBetween(schedule: Schedule, from: number, to: number): Date | undefined {
  const [last] = cronOf(schedule).previousRuns(1, new Date(to + 1))
  return last && last.getTime() > from && last.getTime() <= to ? last : undefined
}
