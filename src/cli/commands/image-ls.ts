/** The images the engine has. */
import { imageEndpoints } from '../../api/images.ts'
import { shortId } from '../../lib/ids.ts'
import { decimalSize } from '../../lib/units.ts'
import { imageRows } from '../../view/images.ts'
import { ago } from '../../view/times.ts'
import { command } from '../command.ts'
import { formatOption, printList } from '../print.ts'

export const imageLs = command({
  usage: '[OPTIONS] [REFERENCE]',
  words: [0, 1],
  options: {
    quiet: { kind: 'flag', short: 'q', about: 'Print ids only' },
    format: formatOption,
  },
  examples: [
    ['tscompose image ls', 'all of the engine'],
    ['tscompose image ls -q', 'ids alone, for scripts'],
  ],
  async run({ options, args, screen, signal, connect }) {
    const client = await connect()
    const query = args[0] === undefined ? {} : { filters: { reference: [args[0]] } }
    const found = await client.call(imageEndpoints.imageList, { query }, { signal })
    if (options.quiet) return screen.printAll(found.map(image => image.Id))
    const now = Date.now()
    await printList(screen, {
      format: options.format,
      rows: found.flatMap(imageRows),
      columns: {
        REPOSITORY: row => row.Repository,
        TAG: row => row.Tag,
        'IMAGE ID': row => shortId(row.ID),
        CREATED: row => ago(row.Created * 1000, now),
        SIZE: row => decimalSize(row.Size),
      },
      json: 'array',
    })
  },
})
