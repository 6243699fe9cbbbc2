/** Sends a signal to containers. */
import { planKill } from '../../targets/engine/plan/turn.ts'
import { turning } from '../turning.ts'

export const kill = turning({
  usage: '[OPTIONS] [SERVICE...]',
  options: {
    signal: { kind: 'text', short: 's', value: 'SIGNAL', about: 'Which signal (default SIGKILL)' },
    'remove-orphans': {
      kind: 'flag',
      variable: 'COMPOSE_REMOVE_ORPHANS',
      about: 'Those of services the stack does not have, and of run, too',
    },
  },
  // a signal that there is none of is told by the engine, where there is anything to send it to
  examples: [
    ['tscompose kill', 'all, by SIGKILL'],
    ['tscompose kill -s HUP proxy', 'have one read its settings again'],
  ],
  plan: (target, observed, { services, options }) =>
    planKill(target, observed, { services, signal: options.signal, removeOrphans: options['remove-orphans'] }),
  nothing: 'no container to kill',
})
