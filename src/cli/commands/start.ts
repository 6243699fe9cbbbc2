/** Starts containers that exist, dependencies first. */
import { planStart } from '../../targets/engine/plan/turn.ts'
import { turning } from '../turning.ts'

export const start = turning({
  usage: '[OPTIONS] [SERVICE...]',
  options: {
    wait: { kind: 'flag', about: 'Return when everything is running and healthy' },
    'wait-timeout': { kind: 'number', value: 'SECONDS', about: 'Give up waiting after SECONDS' },
  },
  examples: [['tscompose start db', 'what is there and stopped']],
  plan: (target, observed, { services, options }) => planStart(target, observed, { services, wait: options.wait }),
  waitTimeout: options => options['wait-timeout'],
  nothing: 'Everything runs',
})
