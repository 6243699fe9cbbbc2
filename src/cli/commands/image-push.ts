/** An image to the registry in its name. */
import { imageEndpoints } from '../../api/images.ts'
import { registryAuth } from '../../client/registry-auth.ts'
import { splitReference } from '../../targets/engine/perform/pull.ts'
import { command } from '../command.ts'
import { readProgress } from '../image-progress.ts'
import { usage } from '../options.ts'

export const imagePush = command({
  usage: '[OPTIONS] IMAGE',
  words: [1, 1],
  options: {
    'all-tags': { kind: 'flag', short: 'a', about: 'All tags that the repository has here' },
    quiet: { kind: 'flag', short: 'q', about: 'Print the name only' },
  },
  examples: [['tscompose image push registry.example:5000/web:1', 'to the registry of its name']],
  async run({ options, args, screen, signal, env, connect }) {
    const [image] = args as [string]
    const { fromImage: name, tag } = splitReference(image)
    if (options['all-tags'] && name !== image) throw usage("tag can't be used with --all-tags/-a")
    const client = await connect()
    const headers = { registryAuth: await registryAuth(image, env) }
    const query = { tag: options['all-tags'] ? '' : tag }
    const lines = await client.stream(imageEndpoints.imagePush, { params: { name }, query, headers }, { signal })
    const last = await readProgress(lines, screen)
    if (options.quiet) screen.print(image)
    else if (last !== undefined) screen.print(last)
  },
})
