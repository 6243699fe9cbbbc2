/** The images a stack's containers were made from. */
import { endpoints } from '../../api/endpoints.ts'
import { shortId } from '../../lib/ids.ts'
import { formatBytes, humanDuration } from '../../lib/units.ts'
import { command } from '../command.ts'
import { formatOption, printList } from '../print.ts'
import { nameOf, replicasOf } from '../replicas.ts'

export const images = command({
  usage: '[OPTIONS] [SERVICE...]',
  options: {
    quiet: { kind: 'flag', short: 'q', about: 'Print ids only' },
    format: formatOption,
  },
  async run(call) {
    const { client, containers } = await replicasOf(call, { all: true, services: call.args })
    const ids = [...new Set(containers.map(each => each.ImageID))]
    if (call.options.quiet) return call.screen.printAll(ids.map(id => id.replace(/^sha256:/, '')))
    const found = new Map(
      await Promise.all(
        ids.map(
          async id =>
            [id, await client.call(endpoints.imageInspect, { params: { name: id } }, { signal: call.signal })] as const,
        ),
      ),
    )
    const now = Date.now()
    printList(call.screen, {
      format: call.options.format,
      items: containers.map(container => {
        const image = found.get(container.ImageID)
        const reference = container.Image.startsWith('sha256:') ? (image?.RepoTags?.[0] ?? '') : container.Image
        const colon = reference.lastIndexOf(':')
        const tagged = colon > reference.lastIndexOf('/') && !reference.includes('@')
        return {
          ID: container.ImageID,
          ContainerName: nameOf(container),
          Repository: tagged ? reference.slice(0, colon) : reference,
          Tag: tagged ? reference.slice(colon + 1) : reference === '' || reference.includes('@') ? '' : 'latest',
          Platform: [image?.Os, image?.Architecture, image?.Variant].filter(Boolean).join('/'),
          Size: image?.Size ?? 0,
          Created: image?.Created ?? '',
        }
      }),
      columns: {
        CONTAINER: each => each.ContainerName,
        REPOSITORY: each => each.Repository || '<none>',
        TAG: each => each.Tag || '<none>',
        PLATFORM: each => each.Platform,
        'IMAGE ID': each => shortId(each.ID),
        SIZE: each => formatBytes(each.Size),
        CREATED: each => (each.Created ? `${humanDuration(now - Date.parse(each.Created))} ago` : ''),
      },
      json: each => each,
    })
  },
})
