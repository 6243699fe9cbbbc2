/** Stops containers, dependents first, and keeps them. */
import { planStop } from '../../targets/engine/plan/turn.ts'
import { timeoutOption, turning } from '../turning.ts'

export const stop = turning({
  usage: '[OPTIONS] [SERVICE...]',
  options: { timeout: timeoutOption },
  plan: (target, observed, { services, options }) => planStop(target, observed, { services, timeout: options.timeout }),
  nothing: 'Nothing runs',
})
