/** Another name for an image. */
import { imageEndpoints } from '../../api/images.ts'
import { splitReference } from '../../targets/engine/perform/pull.ts'
import { command } from '../command.ts'

export const imageTag = command({
  usage: 'IMAGE NAME[:TAG]',
  words: [2, 2],
  options: {},
  examples: [['tscompose image tag web:1 registry.example:5000/web:1', 'under the name of a registry']],
  async run({ args, signal, connect }) {
    const [name, target] = args as [string, string]
    const { fromImage: repo, tag } = splitReference(target)
    const client = await connect()
    await client.call(imageEndpoints.imageTag, { params: { name }, query: { repo, tag } }, { signal })
  },
})
