/** Starts containers that exist, dependencies first. */
import { planStart } from '../../plan/turn.ts'
import { turning } from '../turning.ts'

export const start = turning({
  usage: '[OPTIONS] [SERVICE...]',
  options: {
    'wait-timeout': { kind: 'number', value: 'SECONDS', about: 'Give up waiting for a dependency after SECONDS' },
  },
  plan: (target, observed, { services }) => planStart(target, observed, { services }),
  nothing: 'Everything runs',
})
