/** The folder that a container's program begins in, which is one of its files from its creation on: made when they are first looked at. */
import type { HostPath } from '../../../runtime/spec.ts'
import { OverlayWriter } from '../../base/overlay-writer.ts'

/** Makes it in `own`, over `layers` (lowest first), unless it is there. Where something else is in its way, the start will say so. */
export function makeWorkFolder(layers: readonly HostPath[], own: HostPath, path: string): void {
  using writer = new OverlayWriter(layers, own)
  const place = writer.resolve(path)
  if (!place.entries.some(entry => entry?.kind === 'node')) writer.makeFolders(place, { mode: 0o755, owner: undefined })
}
