/** Makes an image of a container as it is, held still meanwhile. */
import type { ContainerConfig } from '../../../api/container-body.ts'
import { Failure } from '../../../lib/failure.ts'
import { layerTar } from '../../base/layer-tar.ts'
import { type Image, imageConfigSchema } from '../../images/image.ts'
import type { Container } from '../container.ts'
import { runtimePlaces } from '../files/changes.ts'
import { ownTree } from '../files/view.ts'
import { type Parts, tell } from '../parts.ts'
import { pause, unpause } from './pause.ts'

export interface ContainerCommit {
  readonly repo?: string | undefined
  readonly tag?: string | undefined
  readonly comment?: string | undefined
  readonly author?: string | undefined
  readonly pause: boolean
  readonly changes: readonly string[]
  readonly config?: ContainerConfig | undefined
}

export async function commit(parts: Parts, container: Container, options: ContainerCommit): Promise<Image> {
  if (container.state.status === 'removing' || container.state.status === 'dead')
    throw new Failure('conflict', `You cannot commit container ${container.id} which is ${container.state.status}`)
  const { comment = '', author = '' } = options
  const { own, ...tree } = await ownTree(parts, container)
  const held = options.pause && container.state.status === 'running'
  if (held) await pause(parts, container)
  try {
    const { image, name } = await parts.images.commit({
      parent: parts.images.get(container.record.imageId),
      container: container.id,
      containerConfig: container.record.config,
      config: options.config && imageConfigSchema.parse(options.config),
      changes: options.changes,
      author,
      comment,
      repo: options.repo,
      tag: options.tag,
      layer: layerTar(own, { ...tree, places: runtimePlaces }),
    })
    tell(parts, container, 'commit', { comment, imageID: image.id, imageRef: name })
    return image
  } finally {
    if (held && container.state.status === 'paused') await unpause(parts, container)
  }
}
