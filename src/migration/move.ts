/** Copies what a migration has to copy; the source keeps all of it. */
import { imageEndpoints } from '../api/images.ts'
import { volumeEndpoints } from '../api/volumes.ts'
import { copyContent } from '../history/clone-volume.ts'
import { Failure } from '../lib/failure.ts'
import type { Engines, Migration } from './migration.ts'

/** In one archive, so that layers that several share travel once. @throws Failure */
export async function moveImages({ images }: Migration, { source, target, signal }: Engines): Promise<void> {
  const names = images.filter(({ isThere }) => !isThere).map(({ name }) => name)
  if (names.length === 0) return
  const { content } = await source.stream(imageEndpoints.imagesGet, { query: { names } }, { signal })
  const told = await target.stream(imageEndpoints.imageLoad, { query: { quiet: true }, body: content }, { signal })
  for await (const { error, errorDetail } of told) {
    const message = errorDetail?.message ?? error
    if (message) throw new Failure('internal', `Cannot load the images: ${message}`)
  }
}

/**
 * Nobody must write to them meanwhile. When one fails, all that were made are taken away again: what is written at the source after that
 * would be missing in them. @throws Failure
 */
export async function moveVolumes(
  { volumes }: Migration,
  engines: Engines,
  onVolume: (name: string) => void,
): Promise<void> {
  const { source, target, signal } = engines
  await using undo = new AsyncDisposableStack()
  for (const { name, labels, image, stays } of volumes) {
    if (stays !== undefined) continue
    onVolume(name)
    await target.call(volumeEndpoints.volumeCreate, { body: { Name: name, Labels: labels } }, { signal })
    undo.defer(() => target.call(volumeEndpoints.volumeRemove, { params: { name }, query: { force: true } }))
    await copyContent({ client: source, volume: name, image }, { client: target, volume: name, image }, signal)
  }
  // they are there to stay
  undo.move()
}
