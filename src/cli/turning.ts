/** The commands that turn what runs without comparing it with the stack: one plan of plan/turn.ts, applied. */

import type { Plan } from '../plan/plan.ts'
import type { Observed } from '../targets/engine/observed.ts'
import type { ServicesOption, Target } from '../targets/engine/plan/scope.ts'
import { applyPlan } from './apply-plan.ts'
import { letGoOn } from './applying.ts'
import { type Call, type Command, command } from './command.ts'
import { confirm } from './confirm.ts'
import type { OptionSpec, OptionTable, Values } from './options.ts'
import { checkOwner } from './owner.ts'
import { projectOrName } from './project.ts'

export const timeoutOption = {
  kind: 'number',
  short: 't',
  value: 'SECONDS',
  about: 'Grace before a container is killed (default: its stop_grace_period, 10)',
} as const satisfies OptionSpec

export interface Turning<Table extends OptionTable> {
  readonly usage: string
  readonly options: Table
  readonly examples?: Command['examples']
  plan(
    target: Target,
    observed: Observed,
    chosen: { readonly services: ServicesOption['services']; readonly options: Values<Table> },
  ): Plan
  /** Said when there is nothing to do. */
  readonly nothing: string
  /** Seconds that waiting may take. */
  waitTimeout?(options: Values<Table>): number | undefined
}

/** What is turned: the project or its name, the engine, and the services that are named; undefined for all. Another checkout's is refused. */
export async function turned(call: Call) {
  const [target, client, { observe }] = await Promise.all([
    projectOrName(call),
    call.connect(),
    import('../targets/engine/observe.ts'),
  ])
  return {
    target,
    client,
    observe: async () => {
      await letGoOn(call, { client, name: target.name })
      // an init container may have configs and secrets
      const inits = 'services' in target && Object.values(target.services).some(each => each.preStart.length > 0)
      const files = inits ? (await import('../targets/engine/plan/file-objects.ts')).filesOf(target) : []
      const observed = await observe(client, target.name, { signal: call.signal, files })
      if ('services' in target)
        checkOwner(call, observed, {
          host: client.host,
          project: target,
          adopt: undefined,
          verb: 'act on',
          otherwise: `name it without its files: -p ${target.name}`,
        })
      return observed
    },
    services: call.args.length > 0 ? call.args : undefined,
  }
}

/** A command out of a plan: the project or its name, what is there, the plan, its application. */
export function turning<const Table extends OptionTable>(definition: Turning<Table>): Command<Table> {
  return command({
    usage: definition.usage,
    options: definition.options,
    ...(definition.examples && { examples: definition.examples }),
    async run(call) {
      const { target, client, observe, services } = await turned(call)
      const plan = definition.plan(target, await observe(), { services, options: call.options })
      if (!(await confirm(call, plan, {}))) return 1
      await applyPlan(call, {
        plan,
        client,
        project: target.name,
        ...('services' in target && { stack: target }),
        nothing: definition.nothing,
        waitTimeout: definition.waitTimeout?.(call.options),
      })
    },
  })
}
