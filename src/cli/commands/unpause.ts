/** Lets frozen containers go on. */
import { planUnpause } from '../../targets/engine/plan/turn.ts'
import { turning } from '../turning.ts'

export const unpause = turning({
  usage: '[SERVICE...]',
  options: {},
  examples: [['tscompose unpause worker', 'it goes on where it was']],
  plan: (target, observed, { services }) => planUnpause(target, observed, { services }),
  nothing: 'Nothing is paused',
})
