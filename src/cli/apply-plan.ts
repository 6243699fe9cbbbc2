/** A plan on its way: shown when it is a dry run, applied with progress otherwise. */

import type { ApplyEvent } from '../apply/events.ts'
import { type FailedNode, PlanFailure } from '../apply/plan-failure.ts'
import type { Client } from '../client/client.ts'
import { indent, printable, table } from '../lib/text.ts'
import type { Project } from '../model/project.ts'
import type { Plan, PlanNode } from '../plan/plan.ts'
import type { EngineNode } from '../targets/engine/engine-plan.ts'
import type { EngineOptions } from '../targets/engine/perform/operations.ts'
import { annotationsOf } from './annotations.ts'
import type { Call } from './command.ts'
import { dumpLimits, lastLines } from './log-dump.ts'
import { hasOutput, isLate, Waits } from './not-ready.ts'
import { usage } from './options.ts'
import { progressOf } from './progress/choose.ts'

export interface Applied {
  readonly plan: Plan
  readonly client: Client
  /** Whose parts a person turns: what is stopped then is no longer held. Undefined within an `up`, which sees to that. */
  readonly project?: string
  /** Said when the plan is empty. */
  readonly nothing: string
  /** Seconds that waiting may take. */
  readonly waitTimeout?: number | undefined
  /** Instead of the call's: for plans that run because of an interrupt, or end with one. */
  readonly signal?: AbortSignal | undefined
  readonly beforeStart?: EngineOptions['beforeStart']
  /** A line that a hook has printed. */
  readonly onOutput?: (node: PlanNode, line: string) => void
  /** What the plan brings about: what fails is told at its place there. */
  readonly stack?: Project
  /** All that is told on the way. */
  readonly onEvent?: ((event: ApplyEvent) => void) | undefined
  /** Whether the others go on when this one fails. */
  readonly goesOn?: (node: EngineNode) => boolean
  /** False: lines even on a terminal. */
  readonly live?: boolean
}

/** Applies `plan`; returns whether anything was changed. @throws Failure of what failed */
export async function applyPlan(call: Call, applied: Applied): Promise<boolean> {
  const { plan, client, project: name } = applied
  if (name === undefined || plan.empty || call.globals['dry-run']) return await apply(call, applied)
  const { inTurn } = await import('./keeping.ts')
  return await inTurn(call, { client, name, making: false }, () => apply(call, applied))
}

async function apply(call: Call, applied: Applied): Promise<boolean> {
  const { plan, client, nothing, ...options } = applied
  const { screen, globals } = call
  for (const warning of plan.warnings) screen.warn(printable(warning))
  if (plan.empty) {
    if (globals.progress === 'quiet' || globals.progress === 'json') return false
    const [{ lineOf }, { keptWord }] = await Promise.all([import('./progress/plain.ts'), import('./progress/words.ts')])
    for (const { name, state } of plan.kept)
      screen.say(lineOf(`Container ${name}`, keptWord(state), screen.paintStatus))
    if (plan.kept.length === 0 && nothing !== '') screen.say(nothing)
    return false
  }
  if (globals['dry-run']) {
    // on stderr, as all that is told of what is done
    const { printPlan } = await import('../plan/print.ts')
    screen.say(printPlan(plan).trimEnd())
    return false
  }
  const [{ run }, { enginePerformer }] = await Promise.all([
    import('../apply/run.ts'),
    import('../targets/engine/perform/operations.ts'),
  ])
  const progress = await progressOf(call, plan, options.live)
  const isBuilding = plan.nodes.some(({ operation }) => operation.kind === 'build-image')
  const report = isBuilding ? new (await import('./build-report.ts')).BuildReport() : undefined
  const performer = enginePerformer(client, {
    registryAuth: async reference => (await import('../client/registry-auth.ts')).registryAuth(reference, call.env),
    beforeStart: options.beforeStart,
    env: call.env,
  })
  const tails = new Map<number, readonly string[]>()
  const waits = new Waits(plan)
  try {
    await run(plan, performer, {
      ...given('parallel', parallelOf(call)),
      ...given('goesOn', options.goesOn),
      ...given('waitTimeout', options.waitTimeout === undefined ? undefined : options.waitTimeout * 1000),
      signal: options.signal ?? call.signal,
      // by the time it is told, the container may be gone, and its name another's
      beforeRecovery: async (node, container) => void tails.set(node.id, await lastLines(client, container)),
      onEvent: event => {
        progress.tell(event)
        waits.take(event)
        options.onEvent?.(event)
        if (event.kind === 'build') report?.take(event)
        if (event.kind === 'output') options.onOutput?.(event.node, event.text)
      },
    })
  } catch (error) {
    await progress.end()
    if (error instanceof PlanFailure) {
      report?.print(screen, error.failed, { json: globals.progress === 'json' })
      await tellFailed(call, applied, {
        failed: error.failed,
        waits,
        linesOf: (node, name, count) => (node && tails.get(node.id)) ?? lastLines(client, name, count),
      })
      if (applied.stack) throw (await import('../targets/engine/asked-at.ts')).placed(error, applied.stack)
    }
    throw error
  }
  await progress.end()
  return true
}

/** What containers have printed last, then what was still waited for; what failed is printed after it, by whoever catches it. */
async function tellFailed(
  call: Call,
  { client, stack }: Applied,
  { failed, waits, linesOf }: FailedApply,
): Promise<void> {
  const annotations = annotationsOf(call)
  const { containers, lines: most } = dumpLimits(annotations)
  const late = isLate(failed)
  const tails = new Map(failed.filter(({ node }) => hasOutput(node)).map(({ node }) => [node.operation.name, node]))
  const names = [...tails.keys(), ...(late ? waits.containers.filter(name => !tails.has(name)) : [])]
  for (const name of names.slice(0, containers)) {
    const lines = await linesOf(tails.get(name), name, most)
    if (lines.length > 0) annotations.block(`Last output of ${name}:`, lines)
  }
  if (!late) return
  const rows = await waits.rows(client)
  call.screen.say(call.screen.paintStatus('bold', 'Not ready:'))
  const cells = rows.map(({ service, container, reason }) => [service, container ?? '-', reason.replaceAll('\n', ' ')])
  call.screen.say(indent(printable(table(cells))))
  for (const { service, container, reason } of rows)
    if (container !== undefined)
      annotations.note({
        severity: 'error',
        title: `${service} is not ready`,
        place: stack?.place(['services', service]),
        message: `${container} ${reason}`,
      })
}

interface FailedApply {
  readonly failed: readonly FailedNode[]
  readonly waits: Waits
  /** `node`: of what failed. */
  linesOf(node: PlanNode | undefined, name: string, count: number): Promise<readonly string[]> | readonly string[]
}

function given<Name extends string, Value>(name: Name, value: Value | undefined): { [N in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { [N in Name]: Value })
}

/** --parallel or COMPOSE_PARALLEL_LIMIT; what is below 1, their "no limit", leaves ours. */
export function parallelOf({ globals }: Call): number | undefined {
  const { parallel } = globals
  if (parallel === undefined || parallel < 1) return undefined
  if (parallel > 999)
    throw usage(
      `Cannot run ${parallel} operations at once: --parallel or COMPOSE_PARALLEL_LIMIT should be 1 to 999`,
      'An engine loses messages at 1000 in flight; leave it out for 4 per core',
    )
  return parallel
}
