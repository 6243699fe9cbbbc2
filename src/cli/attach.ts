/** The output of a stack while it is brought up and until its containers end; the first ^C stops them, the second kills. */

import type { Client } from '../client/client.ts'
import { isFailure } from '../lib/failure.ts'
import type { Project } from '../model/project.ts'
import type { PlanNode } from '../plan/plan.ts'
import { Follower } from '../targets/engine/logs/follow.ts'
import type { FollowEvent } from '../targets/engine/logs/logs.ts'
import { observe } from '../targets/engine/observe.ts'
import { planKill, planStop } from '../targets/engine/plan/turn.ts'
import { applyPlan } from './apply-plan.ts'
import { AttachedWatch } from './attached-watch.ts'
import type { BringUp } from './bring-up.ts'
import type { Call } from './command.ts'
import { printFailure } from './failures.ts'
import type { KeyOptions } from './keys.ts'
import { LogLines, type LogStyle } from './log-lines.ts'
import { menuOf } from './menu.ts'
import type { Watched, Watching } from './watching.ts'

export interface Attached {
  readonly client: Client
  readonly project: Project
  /** What is started, and what is stopped at ^C; undefined: all. */
  readonly services: readonly string[] | undefined
  /** Whose output is shown. */
  readonly shown: readonly string[]
  /** Seconds since 1970 from which output is shown. */
  readonly since: number
  readonly timeout: number | undefined
  readonly abortOn: 'exit' | 'failure' | undefined
  readonly exitCodeFrom: string | undefined
  /** Says which keys there are. */
  readonly menu: boolean
  readonly style: Omit<LogStyle, 'services'>
  /** It is watched once it is up, until it is interrupted. */
  readonly watches: boolean
  /** Follows its files; undefined: what was asked for excludes that. */
  readonly watch?:
    | ((told: Pick<Watching, 'say' | 'output' | 'signal' | 'beforeStart' | 'onOutput'>) => Promise<Watched>)
    | undefined
  /** Brings it up; begun once nothing of it can be missed. False: a person said no. */
  bringUp(more: Required<Pick<BringUp, 'signal' | 'beforeStart' | 'hold' | 'onOutput'>>): Promise<boolean>
}

/** Returns the exit code: that of the container meant by the options, 130 when interrupted, otherwise 0. */
export async function attach(call: Call, attached: Attached): Promise<number> {
  const { client, project, shown, since, abortOn, exitCodeFrom } = attached
  const awaited = awaitedOf(attached)
  const starting = new AbortController()
  const started = Promise.withResolvers<boolean>()
  started.promise.catch(() => undefined)
  const follower = new Follower(client, project.name, {
    untilExited: true,
    // what ends while it is watched may come again
    stays: attached.watches,
    notBefore: started.promise,
    since,
    timestamps: attached.style.timestamps,
    services: [...new Set([...awaited, ...shown])],
    awaited,
  })
  const lines = new LogLines(call.screen, { ...attached.style, services: shown })
  const isShown = (service: string) => shown.includes(service) || !known(project, service)
  const onOutput = ({ operation }: PlanNode, text: string) => {
    if ('service' in operation && operation.service !== undefined && shown.includes(operation.service))
      lines.hook({ service: operation.service, container: operation.name }, text)
  }
  const watchLine = (text: string) => lines.own(text)
  const beforeStart = unreadable(attached, follower)
  const told = {
    ...{ signal: starting.signal, beforeStart, onOutput },
    say: watchLine,
    output: (service: string, text: string) => lines.hook({ service, container: service }, text),
  }
  await using watch = watchOf(call, { attached, follower, told })
  if (attached.watches) await watch?.take()
  const ending = new Ending(call, attached, { follower, starting, started: started.promise, onOutput, watch })
  using _taken = call.interrupts.take(count => {
    if (count === 1) call.screen.say('Gracefully stopping... press Ctrl+C again to force')
    ending.begin(count === 1 ? 'stop' : 'kill')
  })
  let held: Promise<unknown> = Promise.resolve()
  const more = {
    signal: starting.signal,
    beforeStart,
    hold: (work: Promise<unknown>) => (held = work.catch(() => undefined)),
    onOutput,
  }
  // ready fails with the events themselves, whose reader says why
  follower.ready.then(() => attached.bringUp(more).then(started.resolve, started.reject), started.reject)
  // whoever closed the terminal meanwhile is not followed by the end of what has just been brought up
  const leave = () => (call.interrupts.hungUp ? follower.finish('now') : undefined)
  void quietly(started.promise.then(leave, leave))
  const watching = attached.watches && started.promise.then(up => (up ? watch?.start() : follower.finish('now')))
  if (watching) watching.catch(() => quietly(follower.finish('now')))
  let detached = false
  const detach = () => {
    detached = true
    void quietly(follower.finish('now'))
  }
  const menu = attached.menu ? menuOf(watch) : undefined
  using _keys = keysOf(call, started.promise, {
    detach,
    begun: () => (menu ? watchLine(menu.line) : undefined),
    other: key => {
      const line = menu?.press(key)
      if (line !== undefined) watchLine(line)
    },
  })
  let code: number | undefined
  let culprit: Culprit | undefined
  for await (const event of follower.events()) {
    await held
    if (isShown(event.service)) show(call, lines, event)
    if (event.kind !== 'exited') continue
    if (event.service === exitCodeFrom) code ??= event.exitCode
    if (!awaited.includes(event.service) || !aborts(attached, event.exitCode) || ending.begun) continue
    if (exitCodeFrom === undefined) code ??= event.exitCode
    culprit = event
    call.screen.say('Aborting on container exit...')
    ending.begin('stop')
  }
  await ending.done()
  await watch?.close()
  await watching
  if (detached) {
    call.screen.say('Detached: the stack goes on; "tscompose logs -f" follows it again')
    return 0
  }
  const up = await started.promise.catch(async error => {
    if (!ending.begun || !isFailure(error, 'cancelled')) throw error
    // broken off by what ends it all: nothing of it is left to do
    await settle(call, attached)
    return true
  })
  if (!up) return 1
  if (culprit) await tellCulprit(call, attached, culprit)
  return call.interrupts.count > 0 ? 130 : (exitCodeFrom ?? abortOn) === undefined ? 0 : (code ?? 0)
}

type Culprit = Pick<Extract<FollowEvent, { readonly kind: 'exited' }>, 'container' | 'service' | 'number' | 'exitCode'>

/** Whose failure ended all the rest, below what that printed while it was stopped. */
async function tellCulprit(call: Call, { abortOn, ...attached }: Attached, culprit: Culprit): Promise<void> {
  if (culprit.exitCode === 0) return
  if (abortOn !== 'failure' && call.globals.annotations === undefined) return
  const { tellEnded } = await import('./ended.ts')
  await tellEnded(call, { ...attached, ...culprit })
}

function known(project: Project, name: string): boolean {
  return Object.hasOwn(project.services, name)
}

/** Whose output is kept nowhere must be listened to before it starts. */
function unreadable({ project, shown }: Attached, follower: Follower): NonNullable<BringUp['beforeStart']> {
  return async ({ id, name, service }) => {
    if (!shown.includes(service) || project.services[service]?.logging?.driver !== 'none') return
    await follower.attach({ id, name, service, number: undefined })
  }
}

function show(call: Call, lines: LogLines, event: FollowEvent): void {
  if (event.kind === 'line') lines.write(event)
  else if (event.kind === 'exited') lines.exited(event)
  else call.screen.warn(`${event.container}: ${event.text}`)
}

/** Whose end matters: what was named, also where more is shown; otherwise what is shown or, when everything is to stop with one, all. */
function awaitedOf({ project, services, shown, abortOn, exitCodeFrom }: Attached): readonly string[] {
  return services ?? (abortOn || exitCodeFrom !== undefined ? Object.keys(project.services) : shown)
}

/** --exit-code-from means that everything ends with the first that ends, whichever it is. */
function aborts({ abortOn, exitCodeFrom }: Attached, exitCode: number): boolean {
  const on = abortOn ?? (exitCodeFrom === undefined ? undefined : 'exit')
  return on === 'exit' || (on === 'failure' && exitCode !== 0)
}

interface WatchParts {
  readonly attached: Attached
  readonly follower: Follower
  readonly told: Parameters<NonNullable<Attached['watch']>>[0]
}

function watchOf(call: Call, { attached: { watch }, follower, told }: WatchParts): AttachedWatch | undefined {
  if (!watch) return undefined
  return new AttachedWatch({
    follower,
    say: told.say,
    failed: error => printFailure(error, call.screen, { verbose: call.globals.verbose, json: false }),
    take: () => watch(told),
  })
}

/** Once nothing is asked any more: a question has the keyboard for itself. */
function keysOf(
  call: Call,
  started: Promise<unknown>,
  { begun, ...heard }: KeyOptions & { begun(): void },
): Disposable {
  let keys: Disposable | undefined
  let over = false
  void quietly(
    started.then(async () => {
      // the stream itself is made only where there is a terminal
      if (!call.screen.stdinIsTTY || call.screen.stdout.isTTY !== true) return
      const { listenToKeys } = await import('./keys.ts')
      if (!over) keys = listenToKeys(call.stdin, heard)
      if (keys) begun()
    }),
  )
  return {
    [Symbol.dispose]() {
      over = true
      keys?.[Symbol.dispose]()
    },
  }
}

/** Whoever reads the events, or waits for the start, hears of what is wrong. */
function quietly(work: Promise<unknown>): Promise<unknown> {
  return work.catch(() => undefined)
}

async function settle({ env, globals }: Call, { client, project }: Attached): Promise<void> {
  if (globals['dry-run']) return
  const { History } = await import('../history/history.ts')
  new History(project.name, { host: client.host, env }).settle(Date.now())
}

interface Work {
  readonly watch: AttachedWatch | undefined
  readonly follower: Follower
  readonly starting: AbortController
  readonly started: Promise<unknown>
  readonly onOutput: Required<BringUp>['onOutput']
}

/** Stopping, then killing, beside the output that still comes. */
class Ending {
  readonly #call: Call
  readonly #attached: Attached
  readonly #running: Work
  readonly #work: Promise<void>[] = []
  #stopping: AbortController | undefined

  constructor(call: Call, attached: Attached, running: Work) {
    this.#call = call
    this.#attached = attached
    this.#running = running
  }

  get begun(): boolean {
    return this.#stopping !== undefined
  }

  begin(how: 'stop' | 'kill'): void {
    this.#stopping?.abort()
    const control = (this.#stopping = new AbortController())
    // nothing new is started any more
    this.#running.starting.abort()
    const work = this.#end(how, control.signal)
      .catch(error => {
        // a stop that gave way to a kill has not failed
        if (!control.signal.aborted) throw error
      })
      // whatever became of it: what has ended is known by looking, not by an event that may have passed
      .finally(() => (control.signal.aborted ? undefined : this.#running.follower.finish('now')))
    // reported by done(), which is awaited when the output has ended
    work.catch(() => undefined)
    this.#work.push(work)
  }

  async done(): Promise<void> {
    await Promise.all(this.#work)
  }

  async #end(how: 'stop' | 'kill', signal: AbortSignal): Promise<void> {
    const { client, services, timeout } = this.#attached
    const { watch } = this.#running
    const project = watch?.project ?? this.#attached.project
    // what is being created must be there to be stopped; it ends soon, since nothing new is begun
    if (how === 'stop') await this.#running.started.catch(() => undefined)
    if (how === 'stop') await watch?.close()
    const observed = await observe(client, project.name, { signal, containersOnly: true })
    const chosen = services ? { services } : {}
    const plan =
      how === 'kill' ? planKill(project, observed, chosen) : planStop(project, observed, { ...chosen, timeout })
    // lines and not a live list, which the output would tear apart
    const { onOutput } = this.#running
    await applyPlan(this.#call, { plan, client, project: project.name, nothing: '', signal, live: false, onOutput })
  }
}
