/** Stops and removes the containers and networks of a stack; volumes only when asked. */
import { forgetPastLogs } from '../../targets/engine/logs/past-logs.ts'
import type { Observed } from '../../targets/engine/observed.ts'
import { applyPlan } from '../apply-plan.ts'
import { applying } from '../applying.ts'
import { command } from '../command.ts'
import { confirm } from '../confirm.ts'
import { releaseStack } from '../keeping.ts'
import { adoptOption, checkOwner } from '../owner.ts'
import { projectOrName } from '../project.ts'
import { timeoutOption } from '../turning.ts'

export const down = command({
  usage: '[OPTIONS] [SERVICE...]',
  options: {
    volumes: { kind: 'flag', short: 'v', about: 'Remove volumes too, with the data in them' },
    'remove-orphans': {
      kind: 'flag',
      variable: 'COMPOSE_REMOVE_ORPHANS',
      about: 'Remove containers of services the stack no longer has, and those of run',
    },
    rmi: {
      kind: 'text',
      value: 'WHICH',
      choices: ['local', 'all'],
      about: 'Remove images too: local, those without a name of their own; all',
    },
    timeout: timeoutOption,
    ...adoptOption,
    yes: { kind: 'flag', short: 'y', about: 'Do not ask before data is removed' },
  },
  examples: [
    ['tscompose down', 'keep the data'],
    ['tscompose down -v -p old', 'a project by its name, with its data'],
  ],
  async run(call) {
    const { options } = call
    const [target, client, { observe }, { planDown }] = await Promise.all([
      projectOrName(call),
      call.connect(),
      import('../../targets/engine/observe.ts'),
      import('../../targets/engine/plan/down.ts'),
    ])
    const services = call.args.length > 0 ? call.args : undefined
    return await applying(call, { client, command: 'down', name: target.name, services }, async recorder => {
      const images =
        options.rmi !== undefined && 'services' in target
          ? (await import('../../targets/engine/plan/images.ts')).imagesOf(target)
          : []
      const look = () => observe(client, target.name, { signal: call.signal, images })
      const planOf = (observed: Observed) =>
        planDown(target, observed, {
          ...(services ? { services } : {}),
          volumes: options.volumes,
          removeOrphans: options['remove-orphans'],
          ...(options.rmi === undefined ? {} : { images: options.rmi as 'local' | 'all' }),
          ...(options.timeout === undefined ? {} : { timeout: options.timeout }),
        })
      let observed = await look()
      if ('services' in target)
        checkOwner(call, observed, {
          host: client.host,
          project: target,
          adopt: options.adopt,
          verb: 'take down',
          otherwise: `name it without its files: tscompose -p ${target.name} down`,
        })
      let plan = planOf(observed)
      if (!(await confirm(call, plan, { yes: options.yes }))) return 1
      // nobody brings back what is going; what its jobs have begun until then goes too
      if (
        services === undefined &&
        !call.globals['dry-run'] &&
        (await releaseStack(call, { client, name: target.name }))
      ) {
        observed = await look()
        plan = planOf(observed)
      }
      recorder.plan(plan, observed)
      await applyPlan(call, { plan, client, project: target.name, nothing: 'Nothing to remove' })
      if (!call.globals['dry-run']) await forgetPastLogs(client, target.name, { services, signal: call.signal })
      return 0
    })
  },
})
