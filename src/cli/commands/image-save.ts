/** Images as an archive that `image load` and `docker load` read. */
import { resolve } from 'node:path'
import { imageEndpoints } from '../../api/images.ts'
import { command } from '../command.ts'
import { usage } from '../options.ts'
import { checkOutput, writeOutput } from '../output-file.ts'

export const imageSave = command({
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  words: [1, Infinity],
  options: {
    output: { kind: 'text', short: 'o', value: 'FILE', names: 'file', about: 'Write to FILE instead of here' },
  },
  examples: [['tscompose image save -o shop.tar shop-web shop-db', 'to take them to another machine']],
  async run({ options, args, screen, signal, cwd, connect }) {
    if (options.output === undefined && screen.stdout.isTTY)
      throw usage('Cannot write an archive to a terminal', 'Add -o FILE')
    const file = options.output === undefined ? undefined : await checkOutput(resolve(cwd, options.output))
    const client = await connect()
    const { content } = await client.stream(imageEndpoints.imagesGet, { query: { names: args } }, { signal })
    if (file !== undefined) return await writeOutput(content, file)
    for await (const piece of content) await screen.writeOut(piece)
  },
})
