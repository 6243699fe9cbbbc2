/** Says which target is meant where neither the command line nor the stack says it. */
import { list } from '../../lib/text.ts'
import { readNamedTargets, writeNamedTargets } from '../../state/named-targets.ts'
import { targetNames } from '../../targets/target.ts'
import { command } from '../command.ts'
import { isKind } from '../named-target.ts'
import { usage } from '../options.ts'

export const targetUse = command({
  usage: 'NAME',
  about: 'NAME is one that was added, or a kind. --target, TSCOMPOSE_TARGET and x-target of a stack count more.',
  words: [1, 1],
  options: {},
  examples: [
    ['tscompose target use prod', 'all that follows goes there'],
    ['tscompose target use engine', 'back to this machine'],
  ],
  async run(call) {
    const { args, env, screen } = call
    const [name] = args as [string]
    const { targets } = readNamedTargets({ env })
    if (!isKind(name) && !Object.hasOwn(targets, name))
      throw usage(`There is no target "${name}"`, `Targets are ${list([...targetNames, ...Object.keys(targets)])}`)
    writeNamedTargets({ env }, { targets, ...(name === 'engine' ? {} : { current: name }) })
    screen.say(`Commands are for ${name} now`)
  },
})
