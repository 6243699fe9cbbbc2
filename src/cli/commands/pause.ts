/** Freezes the processes of containers. */
import { planPause } from '../../targets/engine/plan/turn.ts'
import { turning } from '../turning.ts'

export const pause = turning({
  usage: '[SERVICE...]',
  options: {},
  examples: [['tscompose pause worker', 'it keeps its memory, and no processor']],
  plan: (target, observed, { services }) => planPause(target, observed, { services }),
  nothing: 'Nothing to pause',
})
