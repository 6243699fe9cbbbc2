/** A watch of what `up` and `watch` have brought up: read again by their options, carried out and told on the screen. */

import type { Recorder } from '../history/recorder.ts'
import { Failure } from '../lib/failure.ts'
import { printable } from '../lib/text.ts'
import { rowText, summarize } from '../plan/summary.ts'
import { converge } from '../targets/engine/converge.ts'
import type { EnginePlan } from '../targets/engine/engine-plan.ts'
import type { Observed } from '../targets/engine/observed.ts'
import type { UpOptions } from '../targets/engine/plan/reconcile.ts'
import type { WatchEvent } from '../watch/events.ts'
import { type Read, Watch } from '../watch/watch.ts'
import { type Applied, applyPlan } from './apply-plan.ts'
import { applying } from './applying.ts'
import type { WantedAgain } from './bring-up.ts'
import type { Call } from './command.ts'
import { printFailure } from './failures.ts'
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
}

export function watchOf(call: Call, wanted: WantedAgain, watching: Watching): Watch {
  const { client, services } = wanted
  const { signal, quiet, beforeStart, onOutput } = watching
  const dryRun = call.globals['dry-run']
  const quietly = quiet ? { ...call, globals: { ...call.globals, progress: 'quiet' } } : call
  const carryOut = async (plan: EnginePlan): Promise<void> => {
    const builds = plan.nodes.some(({ operation }) => operation.kind === 'build-image')
    await applyPlan(builds ? quietly : call, {
      ...{ plan, client, nothing: '', live: false },
      ...{ signal, beforeStart, onOutput },
    })
  }
  return new Watch({
    client,
    loaded: { project: wanted.loaded.project, files: wanted.files },
    load: () => read(call, wanted),
    converge: async (project, options, causes) => {
      const all = { ...wanted.options, ...options, ...standing }
      const apply = { client, command: 'watch', name: project.name, project, services: all.services, scale: all.scale }
      let told = false
      const carry = async (recorder: Recorder, plan: EnginePlan, observed: Observed): Promise<void> => {
        refuseLoss(plan)
        recorder.plan(plan, observed)
        if (!plan.empty && !told && causes.length > 0) watching.say(printable(causes.join(', ')))
        told ||= !plan.empty
        if (!plan.empty && !dryRun) for (const row of summarize([plan])) watching.say(printable(rowText(row)))
        if (!plan.empty) await carryOut(plan)
      }
      await applying(call, apply, recorder =>
        converge({
          client,
          project,
          options: all,
          dryRun,
          signal,
          carryOut: (plan, observed) => carry(recorder, plan, observed),
        }),
      )
    },
    carryOut,
    services,
    build: wanted.options.build !== 'never',
    prune: watching.prune,
    dryRun,
    tell: event => tell(call, watching, event),
  })
}

/** Nothing is thrown away, made anew for its own sake, or waited for, without being asked. */
const standing: UpOptions = {
  recreate: 'diverged',
  recreateVolumes: false,
  renewAnonVolumes: false,
  recreateDependencies: false,
  wait: false,
  noStart: false,
}

function refuseLoss(plan: EnginePlan): void {
  const lost = plan.destructive().map(({ operation }) => operation.name)
  if (lost.length === 0) return
  throw new Failure('conflict', `Cannot go on without being asked: it would remove ${lost.join(', ')} for good`, {
    hint: 'Run "tscompose up"',
  })
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
