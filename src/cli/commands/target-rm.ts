/** Takes a target's name back; nothing is done to what it names. */
import { Failure } from '../../lib/failure.ts'
import { readNamedTargets, writeNamedTargets } from '../../state/named-targets.ts'
import { command } from '../command.ts'

export const targetRm = command({
  usage: 'NAME...',
  words: [1, Number.POSITIVE_INFINITY],
  options: {},
  examples: [['tscompose target rm prod', 'forget the name']],
  async run(call) {
    const { args, env } = call
    const { targets, current } = readNamedTargets({ env })
    for (const name of args)
      if (!Object.hasOwn(targets, name)) throw new Failure('not-found', `There is no target "${name}"`)
    const kept = Object.fromEntries(Object.entries(targets).filter(([name]) => !args.includes(name)))
    const isKept = current !== undefined && !args.includes(current)
    writeNamedTargets({ env }, { targets: kept, ...(isKept ? { current } : {}) })
  },
})
