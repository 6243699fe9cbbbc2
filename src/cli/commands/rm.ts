/** Removes stopped containers of services. */
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
  async run(call) {
    const { options, screen } = call
    const { target, client, observe, services } = await turned(call)
    if (options.stop)
      await applyPlan(call, {
        plan: planStop(target, await observe(), { services, timeout: options.timeout }),
        client,
        project: target.name,
        nothing: '',
      })
    const plan = planRemove(target, await observe(), { services, volumes: options.volumes, timeout: options.timeout })
    const names = plan.nodes.map(({ operation }) => operation.name)
    if (names.length > 0) screen.print(`Going to remove ${names.join(', ')}`)
    if (names.length > 0 && !options.force && !call.globals['dry-run'] && !(await asks(call, 'Are you sure?'))) return
    await applyPlan(call, { plan, client, project: target.name, nothing: 'No stopped containers' })
  },
})
