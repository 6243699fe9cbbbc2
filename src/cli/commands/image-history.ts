/** How an image came to be, the last step first. */
import { imageEndpoints } from '../../api/images.ts'
import { shortId } from '../../lib/ids.ts'
import { decimalSize } from '../../lib/units.ts'
import { ago } from '../../view/times.ts'
import { command } from '../command.ts'
import { formatOption, printList } from '../print.ts'

export const imageHistory = command({
  usage: '[OPTIONS] IMAGE',
  words: [1, 1],
  options: {
    'no-trunc': { kind: 'flag', about: 'Show commands in full' },
    format: formatOption,
  },
  examples: [['tscompose image history nginx', 'which step made which layer']],
  async run({ options, args, screen, signal, connect }) {
    const [name] = args as [string]
    const client = await connect()
    const rows = await client.call(imageEndpoints.imageHistory, { params: { name } }, { signal })
    const now = Date.now()
    const cut = (text: string) => (options['no-trunc'] || text.length <= 45 ? text : `${text.slice(0, 44)}…`)
    await printList(screen, {
      format: options.format,
      rows,
      columns: {
        IMAGE: row => (row.Id.startsWith('<') ? row.Id : shortId(row.Id)),
        CREATED: row => ago(row.Created * 1000, now),
        'CREATED BY': row => cut(row.CreatedBy),
        SIZE: row => decimalSize(row.Size),
        COMMENT: row => row.Comment,
      },
      json: 'array',
    })
  },
})
