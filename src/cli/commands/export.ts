/** All files of a container as a tar archive. */
import { resolve } from 'node:path'
import { endpoints } from '../../api/endpoints.ts'
import { command } from '../command.ts'
import { usage } from '../options.ts'
import { checkOutput, writeOutput } from '../output-file.ts'
import { replicaOf } from '../replicas.ts'

export const exportCommand = command({
  usage: '[OPTIONS] SERVICE',
  words: [1, Infinity],
  options: {
    output: { kind: 'text', short: 'o', value: 'FILE', names: 'file', about: 'Write to FILE instead of here' },
    index: { kind: 'number', value: 'N', about: 'Which replica (default: the first that runs)' },
  },
  examples: [['tscompose export -o web.tar web', 'the files of web as they are now']],
  async run(call) {
    const { options, screen, signal } = call
    const [service] = call.args as [string]
    if (options.output === undefined && screen.stdout.isTTY)
      throw usage('output option is required when exporting to terminal', 'Add -o FILE')
    const { client, one } = await replicaOf(call, service, options.index)
    if (call.globals['dry-run']) return
    const file = options.output === undefined ? undefined : await checkOutput(resolve(call.cwd, options.output))
    const { content } = await client.stream(endpoints.containerExport, { params: { id: one.Id } }, { signal })
    if (file !== undefined) return await writeOutput(content, file)
    for await (const piece of content) await screen.writeOut(piece)
  },
})
