/** Removes stopped containers of services. */
import { planRemove } from '../../plan/down.ts'
import { timeoutOption, turning } from '../turning.ts'

export const rm = turning({
  usage: '[OPTIONS] [SERVICE...]',
  options: {
    force: { kind: 'flag', short: 'f', about: 'Do not ask' },
    stop: { kind: 'flag', short: 's', about: 'Stop running containers first' },
    volumes: { kind: 'flag', short: 'v', about: 'Remove anonymous volumes too' },
    timeout: timeoutOption,
    all: { kind: 'flag', short: 'a', about: 'Always so' },
  },
  plan: (target, observed, { services, options }) =>
    planRemove(target, observed, { services, stop: options.stop, volumes: options.volumes, timeout: options.timeout }),
  nothing: 'No stopped containers',
  ask: ({ options }, plan) =>
    options.force
      ? undefined
      : plan.nodes.flatMap(({ operation }) =>
          operation.kind === 'remove-container' ? `container ${operation.name}` : [],
        ),
})
