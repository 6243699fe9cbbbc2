/** A watch of what `up` and `watch` have brought up: read again by their options, carried out and told on the screen. */

import type { ApplyEvent } from '../apply/events.ts'
import { messageOf } from '../lib/failure.ts'
import { printable } from '../lib/text.ts'
import type { Project } from '../model/project.ts'
import { rowText, summarize } from '../plan/summary.ts'
import { takeWatchSeat } from '../state/watch-seat.ts'
import { look } from '../targets/engine/converge.ts'
import type { EnginePlan } from '../targets/engine/engine-plan.ts'
import type { WatchEvent } from '../watch/events.ts'
import { triedOnce } from '../watch/tried-once.ts'
import { type Read, Watch } from '../watch/watch.ts'
import { type Applied, applyPlan } from './apply-plan.ts'
import { applying, userName } from './applying.ts'
import type { WantedAgain } from './bring-up.ts'
import type { Call } from './command.ts'
import { printFailure } from './failures.ts'
import { keeperTurn, tellWish } from './keeping.ts'
import { loadProject } from './project.ts'

export interface Watching extends Pick<Applied, 'beforeStart' | 'onOutput'> {
  /** A line of the watch itself. */
  say(line: string): void
  /** Of a command that was run in a container. */
  output(service: string, line: string): void
  readonly prune: boolean
  /** No word of builds. */
  readonly quiet: boolean
  /** Ends what is under way. */
  readonly signal: AbortSignal
  /** See WatchOptions. */
  readonly standing?: readonly string[] | undefined
}

/** A watch that has its place: nobody else watches the project, and the keeper stands back until it ends. */
export async function watchOf(call: Call, wanted: WantedAgain, watching: Watching): Promise<Watched> {
  const { client, services, options } = wanted
  const { signal, quiet, beforeStart, onOutput } = watching
  const dryRun = call.globals['dry-run']
  const quietly = quiet ? { ...call, globals: { ...call.globals, progress: 'quiet' } } : call
  const applied = { client, nothing: '', live: false, signal, beforeStart, onOutput }
  const carryOut = async (plan: EnginePlan, onEvent?: (event: ApplyEvent) => void, stack?: Project): Promise<void> => {
    const builds = plan.nodes.some(({ operation }) => operation.kind === 'build-image')
    await applyPlan(builds ? quietly : call, { ...applied, plan, onEvent, ...(stack && { stack }) })
  }
  const watch: Watch = new Watch({
    client,
    loaded: { project: wanted.loaded.project, files: wanted.files },
    load: () => read(call, wanted),
    options: { ...options },
    standing: watching.standing,
    apply: async (project, isRead, work) => {
      if (isRead && !dryRun) await tellKeeper(call, { ...wanted, project })
      const apply = { client, command: 'watch', name: project.name, project, services, scale: options.scale }
      await applying(call, apply, async recorder => {
        let told = !isRead
        await work(async (plan, observed, onEvent) => {
          if (!told) watching.say('its files have changed')
          told = true
          recorder.plan(plan, observed ?? (await look({ client, project, signal })))
          if (!dryRun) for (const row of summarize([plan])) watching.say(printable(rowText(row)))
          await carryOut(plan, onEvent, project)
        })
      })
    },
    carryOut,
    pull: async plan =>
      void (await applyPlan({ ...call, globals: { ...call.globals, progress: 'quiet' } }, { ...applied, plan })),
    services,
    build: options.build !== 'never',
    prune: watching.prune,
    dryRun,
    tell: event => tell(call, watching, event),
  })
  if (dryRun) return { watch, [Symbol.asyncDispose]: () => watch.close() }
  const { name } = wanted.loaded.project
  const holder = { pid: process.pid, user: userName(call.env), command: 'tscompose watch' }
  const seat = await takeWatchSeat({
    host: client.host,
    project: name,
    holder,
    turn: word => watch.turn(word),
    failed: error => call.screen.warn(`The watch did not stand back: ${printable(messageOf(error))}`),
  })
  const turn = await keeperTurn(call, { client, name, by: 'watching' })
  return {
    watch,
    async [Symbol.asyncDispose]() {
      await watch.close()
      await seat[Symbol.asyncDispose]()
      await turn?.[Symbol.asyncDispose]()
    },
  }
}

export interface Watched extends AsyncDisposable {
  readonly watch: Watch
}

/** Whoever has it when the watch has ended is told what the files say now; that nobody will is worth a word. */
async function tellKeeper(
  call: Call,
  { client, project, options, files }: WantedAgain & { readonly project: Project },
) {
  try {
    const turn = await tellWish(call, { client, project, services: options.services, scale: options.scale, files })
    await turn[Symbol.asyncDispose]()
  } catch (error) {
    call.screen.warn(`The stack is not held: ${printable(messageOf(error))}`)
  }
}

async function read(call: Call, { choices }: WantedAgain): Promise<Read> {
  const files = new Set<string>()
  try {
    const { project } = await loadProject(call, { ...choices, onRead: path => files.add(path) })
    return { project, files: [...files] }
  } catch (error) {
    return { error, files: [...files] }
  }
}

function tell(call: Call, { say, output }: Watching, event: WatchEvent): void {
  const { screen } = call
  switch (event.kind) {
    case 'said':
      say(printable(event.text))
      break
    case 'causes':
      for (const cause of event.causes) say(printable(cause))
      break
    case 'output':
      output(event.service, printable(event.text))
      break
    case 'warning':
      screen.warn(printable(event.text))
      break
    case 'failed':
      printFailure(event.error, screen, { verbose: call.globals.verbose, json: false })
      if (event.doing === 'read') say('The stack stays as it was until its files can be read')
      if (event.isLast) say(`What the files say was tried: ${triedOnce}`)
      break
    case 'lost':
      screen.warn('The engine cannot be reached: what happens to the containers is seen when it can be again')
      break
    case 'found':
      say('The engine can be reached again')
      break
    case 'readable':
      say('The files of the stack can be read again')
      break
    default:
      event satisfies never
  }
}
