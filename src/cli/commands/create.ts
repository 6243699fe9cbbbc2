/** What up does, short of starting. */
import { bringUp, upOptions, wantedOf } from '../bring-up.ts'
import { command } from '../command.ts'

export const create = command({
  usage: '[OPTIONS] [SERVICE...]',
  options: {
    ...upOptions,
    yes: { kind: 'flag', short: 'y', about: 'Do not ask' },
    'quiet-pull': { kind: 'flag', about: 'Pull without showing how far it is' },
  },
  examples: [['tscompose create', 'all containers, none of them started']],
  async run(call) {
    const wanted = await wantedOf(call, call.options, { noStart: true })
    return (await bringUp(call, wanted, { yes: call.options.yes, command: 'create' })) ? 0 : 1
  },
})
