/** The images the engine has. */
import { imageEndpoints } from '../../api/images.ts'
import { shortId } from '../../lib/ids.ts'
import { formatBytes, humanDuration } from '../../lib/units.ts'
import { command } from '../command.ts'
import { formatOption, printList } from '../print.ts'

export const imageLs = command({
  usage: '[OPTIONS] [REFERENCE]',
  options: {
    quiet: { kind: 'flag', short: 'q', about: 'Print ids only' },
    format: formatOption,
  },
  async run({ options, args, screen, signal, connect }) {
    const client = await connect()
    const query = args[0] === undefined ? {} : { filters: { reference: [args[0]] } }
    const found = await client.call(imageEndpoints.imageList, { query }, { signal })
    if (options.quiet) return screen.printAll(found.map(image => image.Id))
    const now = Date.now()
    printList(screen, {
      format: options.format,
      items: found.flatMap(image => {
        const names = image.RepoTags?.length ? image.RepoTags : ['<none>:<none>']
        return names.map(name => ({
          Repository: name.slice(0, name.lastIndexOf(':')),
          Tag: name.slice(name.lastIndexOf(':') + 1),
          ID: image.Id,
          Created: image.Created,
          Size: image.Size,
        }))
      }),
      columns: {
        REPOSITORY: image => image.Repository,
        TAG: image => image.Tag,
        'IMAGE ID': image => shortId(image.ID),
        CREATED: image => `${humanDuration(now - image.Created * 1000)} ago`,
        SIZE: image => formatBytes(image.Size),
      },
      json: image => image,
    })
  },
})
