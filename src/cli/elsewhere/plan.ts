/** `plan` on a target that is not the engine. */
import { Failure } from '../../lib/failure.ts'
import { printable } from '../../lib/text.ts'
import { Plan } from '../../plan/plan.ts'
import { planJson } from '../../plan/print.ts'
import type { TargetName } from '../../targets/target.ts'
import type { Call } from '../command.ts'
import { rowsOf, stepsOf } from '../commands/plan.ts'
import { openTarget } from '../targets.ts'
import { buildsOn, toPush } from './push-built.ts'
import { wantedOf } from './wanted.ts'

export async function plan(call: Call, name: Exclude<TargetName, 'engine'>): Promise<number> {
  const [{ project, wish }, target] = await Promise.all([wantedOf(call, name), openTarget(call, name)])
  if (call.options['export']) {
    if (!target.exported) throw new Failure('unsupported', `The target ${name} has no --export`)
    call.screen.print(target.exported(project, wish).trimEnd())
    return 0
  }
  const seen = await target.observe(project.name, {
    project,
    wish,
    signal: call.signal,
  })
  const made = target.plan(project, seen, wish)
  const due = toPush(call, { project, wish, kept: target.kept(seen) })
  const builds = due.length > 0 ? await buildsOn(call, project, due) : new Plan(made.words)
  const all: readonly Plan[] = [builds, made]
  const empty = all.every(each => each.empty)
  const { screen, options } = call
  if (options['format'] === 'json' || options['json'])
    screen.print(
      JSON.stringify(
        planJson({
          pulls: new Plan(made.words),
          builds,
          plan: made,
        }),
        null,
        2,
      ),
    )
  else {
    for (const warning of made.warnings) screen.warn(printable(warning))
    screen.print(empty ? 'no changes' : options['steps'] ? stepsOf(all) : rowsOf(call, all))
  }
  return options['detailed-exitcode'] && !empty ? 2 : 0
}
