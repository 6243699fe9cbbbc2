/** What takes how much of the disk, project by project. */
import { systemEndpoints } from '../../api/system.ts'
import { decimalSize } from '../../lib/units.ts'
import { diskRows } from '../../view/disk-usage.ts'
import { command } from '../command.ts'
import { formatOption, printList } from '../print.ts'

export const df = command({
  usage: '[OPTIONS]',
  about: 'All projects of the engine; images that several use count for each, the last line is what belongs to none.',
  words: [0, 0],
  options: { format: formatOption },
  examples: [
    ['tscompose df', 'by project'],
    ['tscompose df --format json', 'for programs'],
  ],
  async run({ options, screen, signal, connect }) {
    const client = await connect()
    const usage = await client.call(systemEndpoints.diskUsage, {}, { signal })
    await printList(screen, {
      format: options.format,
      rows: diskRows(usage),
      columns: {
        PROJECT: row => row.Project || '-',
        CONTAINERS: row => String(row.Containers),
        WRITTEN: row => decimalSize(row.ContainersSize),
        IMAGES: row => String(row.Images),
        'IMAGES SIZE': row => decimalSize(row.ImagesSize),
        VOLUMES: row => String(row.Volumes),
        'VOLUMES SIZE': row => decimalSize(row.VolumesSize),
      },
      json: 'array',
    })
  },
})
