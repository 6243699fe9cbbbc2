/** Sends a signal to containers. */
import { signalNumber } from '../../lib/signals.ts'
import { planKill } from '../../plan/down.ts'
import { usage } from '../options.ts'
import { turning } from '../turning.ts'

export const kill = turning({
  usage: '[OPTIONS] [SERVICE...]',
  options: {
    signal: { kind: 'text', short: 's', value: 'SIGNAL', about: 'Which signal (default SIGKILL)' },
    'remove-orphans': { kind: 'flag', about: 'Remove containers of services the stack no longer has' },
  },
  plan: (target, observed, { services, options }) => {
    const signal = options.signal ?? 'SIGKILL'
    if (signalNumber(signal) === undefined) throw usage(`Cannot send "${signal}": there is no such signal`)
    return planKill(target, observed, { services, signal, removeOrphans: options['remove-orphans'] })
  },
  nothing: 'Nothing runs',
})
