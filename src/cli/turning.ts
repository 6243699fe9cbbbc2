/** The commands that turn what runs without comparing it with the stack: one plan of plan/down.ts, applied. */
import type { DownOptions, Target } from '../plan/down.ts'
import type { Observed } from '../plan/observed.ts'
import type { Plan } from '../plan/plan.ts'
import { applyPlan } from './apply-plan.ts'
import { type Call, type Command, command } from './command.ts'
import { confirm } from './confirm.ts'
import type { OptionSpec, OptionTable, Values } from './options.ts'
import { checkServices, projectOrName } from './project.ts'

export const timeoutOption = {
  kind: 'number',
  short: 't',
  value: 'SECONDS',
  about: 'Grace before a container is killed (default: its stop_grace_period, 10)',
} as const satisfies OptionSpec

export interface Turning<Table extends OptionTable> {
  readonly usage: string
  readonly options: Table
  plan(
    target: Target,
    observed: Observed,
    chosen: { readonly services: DownOptions['services']; readonly options: Values<Table> },
  ): Plan
  /** Said when there is nothing to do. */
  readonly nothing: string
  /** What a person should confirm beyond the loss of data; undefined for nothing. */
  ask?(call: Call<Table>, plan: Plan): readonly string[] | undefined
}

/** A command out of a plan: the project or its name, what is there, the plan, its application. */
export function turning<const Table extends OptionTable>(definition: Turning<Table>): Command<Table> {
  return command({
    usage: definition.usage,
    options: definition.options,
    async run(call) {
      const [target, client, { observe }] = await Promise.all([
        projectOrName(call),
        call.connect(),
        import('../apply/observe.ts'),
      ])
      const observed = await observe(client, target.name, { signal: call.signal })
      const known = [
        ...('services' in target ? [...Object.keys(target.services), ...Object.keys(target.disabledServices)] : []),
        ...observed.containers.map(each => each.service),
      ]
      const services = checkServices(call.args, known)
      const plan = definition.plan(target, observed, { services, options: call.options })
      if (!(await confirm(call, plan, { more: definition.ask?.(call, plan) }))) return 1
      await applyPlan(call, { plan, client, nothing: definition.nothing })
    },
  })
}
