/** How many replicas services have, until the next up. */
import { bringUp, parseScale, upOptions, wantedOf } from '../bring-up.ts'
import { command } from '../command.ts'
import { valuesOf } from '../values.ts'

export const scale = command({
  usage: '[OPTIONS] SERVICE=N [SERVICE=N...]',
  words: [1, Infinity],
  options: { 'no-deps': { kind: 'flag', about: 'Leave out what these services depend on' } },
  examples: [['tscompose scale web=3 worker=0', 'three of one, none of the other']],
  async run(call) {
    const services = Object.keys(parseScale(call.args))
    const values = { ...valuesOf(upOptions), scale: call.args, 'no-deps': call.options['no-deps'] }
    const wanted = await wantedOf({ ...call, args: services }, values, { services })
    return (await bringUp(call, wanted, { yes: false, command: 'scale' })) ? 0 : 1
  },
})
