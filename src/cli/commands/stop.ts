/** Stops containers, dependents first, and keeps them. */
import { planStop } from '../../targets/engine/plan/turn.ts'
import { timeoutOption, turning } from '../turning.ts'

export const stop = turning({
  usage: '[OPTIONS] [SERVICE...]',
  options: { timeout: timeoutOption },
  examples: [
    ['tscompose stop', 'all, in order; "tscompose start" goes on'],
    ['tscompose stop --timeout 30 db', 'with half a minute to end in'],
  ],
  plan: (target, observed, { services, options }) => planStop(target, observed, { services, timeout: options.timeout }),
  nothing: 'Nothing runs',
})
