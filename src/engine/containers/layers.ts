/** The layers of images that a container stands on, whether those images are still there or not. */
import type { HostPath } from '../../runtime/spec.ts'
import type { Digest } from '../images/digest.ts'
import type { Images } from '../images/images.ts'
import type { ContainerRecord } from './container.ts'

/** The folders of its own image, lowest first. @throws Failure `not-found` when the record is an older engine's, and the image gone. */
export function imageLayers(images: Images, { layers, imageId }: ContainerRecord): readonly HostPath[] {
  return images.layers({ diffIds: layers ?? images.get(imageId).diffIds })
}

/** All of them stay as long as the container does. */
export function keepLayers(images: Images, { id, imageId, layers, mounts }: ContainerRecord): void {
  const of = (image: string): readonly Digest[] => images.find(image)?.diffIds ?? []
  const mounted = mounts.flatMap(mount => mount.layers ?? (mount.image === undefined ? [] : of(mount.image)))
  images.keep(id, [...(layers ?? of(imageId)), ...mounted])
}
