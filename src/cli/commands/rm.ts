/** Removes stopped containers of services. */
import type { EnginePlan } from '../../targets/engine/engine-plan.ts'
import type { Observed } from '../../targets/engine/observed.ts'
import { planRemove, planStop } from '../../targets/engine/plan/turn.ts'
import { applyPlan } from '../apply-plan.ts'
import { command } from '../command.ts'
import { asks } from '../confirm.ts'
import { timeoutOption, turned } from '../turning.ts'

export const rm = command({
  usage: '[OPTIONS] [SERVICE...]',
  about: 'Says what it is going to remove and waits for a yes on standard input, unless -f is given.',
  options: {
    force: { kind: 'flag', short: 'f', about: 'Do not ask' },
    stop: { kind: 'flag', short: 's', about: 'Stop running containers first' },
    volumes: { kind: 'flag', short: 'v', about: 'Remove anonymous volumes too' },
    timeout: timeoutOption,
    all: { kind: 'flag', short: 'a', about: 'Always so' },
  },
  examples: [
    ['tscompose rm', 'stopped containers, after a question'],
    ['tscompose rm --stop --force web', 'one that runs, without'],
  ],
  async run(call) {
    const { options, screen } = call
    const { target, client, observe, services } = await turned(call)
    let observed = await observe()
    if (options.stop) {
      const stopping = planStop(target, observed, { services, timeout: options.timeout })
      await applyPlan(call, { plan: stopping, client, project: target.name, nothing: '' })
      observed = call.globals['dry-run'] ? asStopped(observed, stopping) : await observe()
    }
    const plan = planRemove(target, observed, { services, volumes: options.volumes, timeout: options.timeout })
    const names = plan.nodes.map(({ operation }) => operation.name)
    if (names.length > 0) screen.print(`Going to remove ${names.join(', ')}`)
    if (names.length > 0 && !options.force && !call.globals['dry-run'] && !(await asks(call, 'Are you sure?'))) return
    await applyPlan(call, { plan, client, project: target.name, nothing: 'No stopped containers' })
  },
})

/** What would be there after it. */
function asStopped(observed: Observed, plan: EnginePlan): Observed {
  const stopped = new Set(plan.nodes.map(({ operation }) => operation.name))
  return {
    ...observed,
    containers: observed.containers.map(each => (stopped.has(each.name) ? { ...each, state: 'exited' } : each)),
  }
}
