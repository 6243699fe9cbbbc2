/** A plan on its way: shown when it is a dry run, applied with progress otherwise. */
import type { Client } from '../client/client.ts'
import { printable } from '../lib/text.ts'
import type { Plan } from '../plan/plan.ts'
import type { Call } from './command.ts'
import { usage } from './options.ts'
import { progressOf } from './progress/progress.ts'

export interface Applied {
  readonly plan: Plan
  readonly client: Client
  /** Said when the plan is empty. */
  readonly nothing: string
  readonly waitTimeout?: number | undefined
  /** Instead of the call's: for plans that run because of an interrupt. */
  readonly signal?: AbortSignal
  readonly quietPull?: boolean
}

/** Applies `plan`; returns whether anything was changed. @throws Failure of what failed */
export async function applyPlan(call: Call, { plan, client, nothing, ...options }: Applied): Promise<boolean> {
  const { screen, globals } = call
  for (const warning of plan.warnings) screen.warn(printable(warning))
  if (plan.empty) {
    if (globals.progress !== 'quiet' && globals.progress !== 'json') screen.say(nothing)
    return false
  }
  if (globals['dry-run']) {
    const { printPlan } = await import('../plan/print.ts')
    screen.print(printPlan(plan).trimEnd())
    return false
  }
  const { run } = await import('../apply/run.ts')
  const progress = await progressOf(call, plan)
  try {
    await run(plan, client, {
      parallel: parallelOf(call),
      signal: options.signal ?? call.signal,
      waitTimeout: options.waitTimeout,
      onEvent: event => progress.tell(event),
    })
  } finally {
    await progress.end()
  }
  return true
}

/** --parallel over COMPOSE_PARALLEL_LIMIT; -1, their word for "no limit", leaves ours. */
function parallelOf({ globals, env }: Call): number | undefined {
  const text = env['COMPOSE_PARALLEL_LIMIT']
  if (globals.parallel === undefined && text !== undefined && !/^-?\d+$/.test(text.trim()))
    throw usage(`Cannot use COMPOSE_PARALLEL_LIMIT "${text}": it is not a whole number`)
  const parallel = globals.parallel ?? (text === undefined ? undefined : Number(text))
  return parallel === -1 ? undefined : parallel
}
