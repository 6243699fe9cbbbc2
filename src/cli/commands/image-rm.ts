/** Takes names off images, and removes those that have none left. */
import { imageEndpoints } from '../../api/images.ts'
import { command } from '../command.ts'
import { usage } from '../options.ts'

export const imageRm = command({
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  options: {
    force: { kind: 'flag', short: 'f', about: 'Although stopped containers use it' },
    'no-prune': { kind: 'flag', about: 'Keep parents without a name' },
  },
  examples: [['tscompose image rm web:1 web:2', 'the names, and what nobody else uses']],
  async run({ options, args, screen, signal, connect }) {
    if (args.length === 0) throw usage('"image rm" takes at least one image')
    const client = await connect()
    const failures: unknown[] = []
    for (const name of args) {
      try {
        const query = { force: options.force, noprune: options['no-prune'] }
        const done = await client.call(imageEndpoints.imageRemove, { params: { name }, query }, { signal })
        for (const each of done)
          screen.print('Deleted' in each ? `Deleted: ${each.Deleted}` : `Untagged: ${each.Untagged}`)
      } catch (error) {
        // one that is in use must not keep the others
        failures.push(error)
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, `${failures.length} images could not be removed`)
  },
})
