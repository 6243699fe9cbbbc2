/** The commands on a target that is not the engine of one machine; what it lacks is refused by name. */
import { Failure } from '../lib/failure.ts'
import type { TargetName } from '../targets/target.ts'
import type { Call } from './command.ts'
import { insteadOn } from './elsewhere/lacking.ts'

type Elsewhere = Exclude<TargetName, 'engine'>
type Run = (call: Call, target: Elsewhere) => Promise<number>

const runs: Readonly<Record<string, Run>> = {
  up: async (...given) => (await import('./elsewhere/up.ts')).up(...given),
  plan: async (...given) => (await import('./elsewhere/plan.ts')).plan(...given),
  down: async (...given) => (await import('./elsewhere/down.ts')).down(...given),
  ps: async (...given) => (await import('./elsewhere/ps.ts')).ps(...given),
  logs: async (...given) => (await import('./elsewhere/logs.ts')).logs(...given),
  rollback: async (...given) => (await import('./elsewhere/rollback.ts')).rollback(...given),
  events: async (...given) => (await import('./elsewhere/events.ts')).events(...given),
  url: async (...given) => (await import('./elsewhere/url.ts')).url(...given),
  exec: async (...given) => (await import('./elsewhere/exec.ts')).exec(...given),
}

/** What a command does on a target; undefined where it is the same everywhere. @throws Failure unsupported for what the target lacks */
export async function commandOn(
  target: Elsewhere,
  name: string,
): Promise<((call: Call) => Promise<number>) | undefined> {
  const instead = insteadOn(target, name)
  if (instead !== undefined)
    throw new Failure('unsupported', `The target ${target} has no "${name}"`, { hint: instead })
  const run = Object.hasOwn(runs, name) ? runs[name] : undefined
  return run && (call => run(call, target))
}
