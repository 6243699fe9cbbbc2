/** The images a stack's containers were made from. */
import { endpoints } from '../../api/endpoints.ts'
import { isFailure } from '../../lib/failure.ts'
import { shortId } from '../../lib/ids.ts'
import { decimalSize } from '../../lib/units.ts'
import { usedImageRow } from '../../view/images.ts'
import { ago } from '../../view/times.ts'
import { command } from '../command.ts'
import { formatOption, printList } from '../print.ts'
import { replicasOf } from '../replicas.ts'

export const images = command({
  usage: '[OPTIONS] [SERVICE...]',
  options: {
    quiet: { kind: 'flag', short: 'q', about: 'Print ids only' },
    format: formatOption,
  },
  examples: [
    ['tscompose images', 'what the containers were made from'],
    ['tscompose images --format json', 'for programs'],
  ],
  async run(call) {
    const { client, containers } = await replicasOf(call, {
      all: true,
      oneOff: true,
      services: call.args,
      anyService: true,
    })
    const ids = [...new Set(containers.map(each => each.ImageID))]
    if (call.options.quiet) return call.screen.printAll(ids.map(id => id.replace(/^sha256:/, '')))
    const inspect = async (id: string) => {
      try {
        return [
          id,
          await client.call(endpoints.imageInspect, { params: { name: id } }, { signal: call.signal }),
        ] as const
      } catch (error) {
        // removed by force while its containers go on: shown without what only it would tell
        if (isFailure(error, 'not-found')) return [id, undefined] as const
        throw error
      }
    }
    const found = new Map(await Promise.all(ids.map(inspect)))
    const now = Date.now()
    await printList(call.screen, {
      format: call.options.format,
      rows: containers.map(container => usedImageRow(container, found.get(container.ImageID))),
      columns: {
        CONTAINER: row => row.ContainerName,
        REPOSITORY: row => row.Repository || '<none>',
        TAG: row => row.Tag || '<none>',
        PLATFORM: row => row.Platform,
        'IMAGE ID': row => shortId(row.ID),
        SIZE: row => decimalSize(row.Size),
        CREATED: row => (row.LastTagTime.startsWith('0001') ? 'N/A' : ago(Date.parse(row.LastTagTime), now)),
      },
      json: 'array',
      none: 'null',
      least: 20,
    })
  },
})
