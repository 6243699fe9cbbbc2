/** Stops and starts containers; those that depend on them with `restart: true` follow. */
import { planRestart } from '../../targets/engine/plan/turn.ts'
import { timeoutOption, turning } from '../turning.ts'

export const restart = turning({
  usage: '[OPTIONS] [SERVICE...]',
  options: {
    timeout: timeoutOption,
    'no-deps': { kind: 'flag', about: 'Leave dependents alone' },
  },
  examples: [
    ['tscompose restart web', 'stop it, and start it'],
    ['tscompose restart --timeout 2', 'all, with two seconds to end in'],
  ],
  plan: (target, observed, { services, options }) =>
    planRestart(target, observed, { services, timeout: options.timeout, noDeps: options['no-deps'] }),
  nothing: 'Nothing to restart',
})
