/** An image from its registry. */
import { imageEndpoints } from '../../api/images.ts'
import { registryAuth } from '../../client/registry-auth.ts'
import { splitReference } from '../../targets/engine/perform/pull.ts'
import { command } from '../command.ts'
import { readProgress } from '../image-progress.ts'

export const imagePull = command({
  usage: '[OPTIONS] IMAGE',
  words: [1, 1],
  options: {
    platform: { kind: 'text', value: 'OS/ARCH', about: "Another one than this machine's" },
    quiet: { kind: 'flag', short: 'q', about: 'Print the name only' },
  },
  examples: [['tscompose image pull redis:7', 'by its name']],
  async run({ options, args, screen, signal, env, connect }) {
    const [name] = args as [string]
    const client = await connect()
    const headers = { registryAuth: await registryAuth(name, env) }
    const query = { ...splitReference(name), platform: options.platform }
    const last = await readProgress(
      await client.stream(imageEndpoints.imageCreate, { query, headers }, { signal }),
      screen,
    )
    if (options.quiet) screen.print(name)
    else if (last !== undefined) screen.print(last)
  },
})
