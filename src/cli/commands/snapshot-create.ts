/** Copies the volumes of a stack, and keeps its model and its images with them. */

import { type Meanwhile, meanwhiles } from '../../history/take-snapshot.ts'
import { look } from '../../targets/engine/converge.ts'
import { applying } from '../applying.ts'
import { command } from '../command.ts'
import { inTurn } from '../keeping.ts'
import { checkOwner } from '../owner.ts'
import { loadProject } from '../project.ts'
import { take } from '../snapshots-of.ts'

export const snapshotCreate = command({
  usage: '[OPTIONS] [NAME]',
  about:
    'By reflink where the file system has it, otherwise byte by byte. Containers that have a volume mounted are paused meanwhile, as if the power had failed at that moment; --while stopped lets them end in order.',
  words: [0, 1],
  options: {
    while: {
      kind: 'text',
      value: 'STATE',
      choices: meanwhiles,
      about: 'What containers with volumes are meanwhile: paused (default), stopped, running',
    },
  },
  examples: [
    ['tscompose snapshot create before-upgrade', 'before something risky'],
    ['tscompose up -d --snapshot', 'one by itself, where an image of a service with volumes changes'],
  ],
  async run(call) {
    const [{ project }, client] = await Promise.all([loadProject(call), call.connect()])
    const { name: of } = project
    // what stands still meanwhile is nothing to mend
    return await inTurn(call, { client, name: of, making: true }, () =>
      applying(call, { client, command: 'snapshot create', name: of }, async () => {
        const observed = await look({ client, project, signal: call.signal })
        const otherwise = 'take it in the folder that it belongs to'
        checkOwner(call, observed, {
          host: client.host,
          project,
          adopt: undefined,
          verb: 'take a snapshot of',
          otherwise,
        })
        if (call.globals['dry-run']) return 0
        const meanwhile = (call.options.while ?? 'paused') as Meanwhile
        const { name } = await take(call, {
          client,
          project,
          observed,
          name: call.args[0],
          cause: 'asked for',
          meanwhile,
        })
        call.screen.print(name)
        return 0
      }),
    )
  },
})
