/** Freezes the processes of containers. */
import { planPause } from '../../targets/engine/plan/turn.ts'
import { turning } from '../turning.ts'

export const pause = turning({
  usage: '[SERVICE...]',
  options: {},
  plan: (target, observed, { services }) => planPause(target, observed, { services }),
  nothing: 'Nothing to pause',
})
