/** The volumes of a stack, one line each. */
import { endpoints } from '../../api/endpoints.ts'
import { projectFilter } from '../../targets/engine/labels.ts'
import { volumeHeadings, volumeRow } from '../../view/volumes.ts'
import { command } from '../command.ts'
import { formatOption, printList } from '../print.ts'
import { replicasOf } from '../replicas.ts'

export const volumes = command({
  usage: '[OPTIONS] [SERVICE...]',
  about: 'Those that are there; of SERVICE, those its containers have mounted.',
  options: {
    quiet: { kind: 'flag', short: 'q', about: 'Print names only' },
    format: formatOption,
  },
  examples: [
    ['tscompose volumes', 'of the stack'],
    ['tscompose volumes --quiet', 'names alone'],
  ],
  async run(call) {
    const { client, project, containers } = await replicasOf(call, { all: true, services: call.args })
    const { Volumes } = await client.call(
      endpoints.volumeList,
      { query: { filters: projectFilter(project) } },
      { signal: call.signal },
    )
    const mounted = new Set(containers.flatMap(each => each.Mounts ?? []).map(mount => mount.Name))
    const rows = [...(Volumes ?? [])]
      .filter(volume => call.args.length === 0 || mounted.has(volume.Name))
      .sort((a, b) => (a.Name < b.Name ? -1 : 1))
      .map(volumeRow)
    if (call.options.quiet) return call.screen.printAll(rows.map(row => row.Name))
    await printList(call.screen, {
      format: call.options.format,
      rows,
      columns: { DRIVER: row => row.Driver, 'VOLUME NAME': row => row.Name },
      headings: volumeHeadings,
      json: 'lines',
      anyText: true,
    })
  },
})
