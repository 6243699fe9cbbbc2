/** The output of a stack until its containers end; the first ^C stops them, the second kills. */
import { follow } from '../apply/follow.ts'
import { observe } from '../apply/observe.ts'
import type { Client } from '../client/client.ts'
import type { Project } from '../model/project.ts'
import { planKill, planStop } from '../plan/down.ts'
import type { Plan } from '../plan/plan.ts'
import { applyPlan } from './apply-plan.ts'
import type { Call } from './command.ts'
import { LogLines, type LogStyle } from './log-lines.ts'

export interface Attached {
  readonly client: Client
  readonly project: Project
  /** What was started, and what is stopped at ^C; undefined: all. */
  readonly services: readonly string[] | undefined
  /** Whose output is shown. */
  readonly shown: readonly string[]
  /** Seconds since 1970 from which output is shown. */
  readonly since: number
  readonly timeout: number | undefined
  readonly abortOn: 'exit' | 'failure' | undefined
  readonly exitCodeFrom: string | undefined
  readonly style: Omit<LogStyle, 'services'>
}

/** Returns the exit code: 130 when interrupted, that of the container meant by the options, otherwise 0. */
export async function attach(call: Call, attached: Attached): Promise<number> {
  const { client, project, shown, since, abortOn, exitCodeFrom } = attached
  const lines = new LogLines(call.screen, { ...attached.style, services: shown })
  const ending = new Ending(call, attached)
  let code: number | undefined
  using _taken = call.interrupts.take(count => {
    if (count === 1) call.screen.say('\nStopping; ^C again kills')
    ending.begin(count === 1 ? 'stop' : 'kill')
  })
  const signal = AbortSignal.any([ending.failed])
  for await (const event of follow(client, project.name, {
    signal,
    follow: true,
    untilExited: true,
    since,
    timestamps: attached.style.timestamps,
    ...(attached.services || shown.length < Object.keys(project.services).length
      ? { services: watched(attached) }
      : {}),
  })) {
    if (event.kind === 'line') {
      if (shown.includes(event.service)) lines.write(event)
      continue
    }
    if (shown.includes(event.service)) lines.note({ ...event, number: undefined }, `exited with code ${event.exitCode}`)
    const meant = exitCodeFrom === undefined ? aborts(abortOn, event.exitCode) : event.service === exitCodeFrom
    if (meant && code === undefined && call.interrupts.count === 0) {
      code = event.exitCode
      ending.begin('stop')
    }
  }
  await ending.done()
  return code ?? (call.interrupts.count > 0 ? 130 : 0)
}

/** Whose end matters: what is shown and, when everything is to stop with one, all that was started. */
function watched({ project, services, shown, abortOn, exitCodeFrom }: Attached): readonly string[] {
  return abortOn || exitCodeFrom ? (services ?? Object.keys(project.services)) : shown
}

function aborts(abortOn: Attached['abortOn'], exitCode: number): boolean {
  return abortOn === 'exit' || (abortOn === 'failure' && exitCode !== 0)
}

/** Stopping, then killing, beside the output that still comes. */
class Ending {
  readonly #call: Call
  readonly #attached: Attached
  readonly #failed = new AbortController()
  readonly #work: Promise<void>[] = []
  #stopping: AbortController | undefined

  constructor(call: Call, attached: Attached) {
    this.#call = call
    this.#attached = attached
  }

  /** Fires when the containers cannot be ended: then there is nothing to wait for. */
  get failed(): AbortSignal {
    return this.#failed.signal
  }

  begin(how: 'stop' | 'kill'): void {
    this.#stopping?.abort()
    const control = (this.#stopping = new AbortController())
    const work = this.#end(how, control.signal).catch(error => {
      // a stop that gave way to a kill has not failed
      if (control.signal.aborted) return
      this.#failed.abort()
      throw error
    })
    // reported by done(), which is awaited when the output has ended
    work.catch(() => undefined)
    this.#work.push(work)
  }

  async done(): Promise<void> {
    await Promise.all(this.#work)
  }

  async #end(how: 'stop' | 'kill', signal: AbortSignal): Promise<void> {
    const { client, project, services, timeout } = this.#attached
    const observed = await observe(client, project.name, { signal, containersOnly: true })
    const chosen = services ? { services } : {}
    const plan: Plan =
      how === 'kill'
        ? planKill(project, observed, chosen)
        : planStop(project, observed, { ...chosen, ...(timeout === undefined ? {} : { timeout }) })
    // lines and not a live list, which the output would tear apart
    await applyPlan(this.#call, { plan, client, nothing: 'Nothing runs', signal, live: false })
  }
}
