/** WORKDIR: the folder is there afterwards, made for whoever USER says as far as it was missing. */
import type { HostPath } from '../../../runtime/spec.ts'
import { OverlayWriter } from '../../base/overlay-writer.ts'
import type { WorkdirStep } from '../dockerfile/plan.ts'
import { findOwner } from './owner.ts'

/**
 * Writes nothing, and says so, when it is there already: such a step has no layer.
 * @throws Failure `conflict` when something on the way is no folder, `invalid` for a name of a user where there are no files at all.
 */
export function makeWorkdir(
  { path, user }: Pick<WorkdirStep, 'path' | 'user'>,
  { below, upper }: { readonly below: readonly HostPath[]; readonly upper: HostPath },
): boolean {
  using writer = new OverlayWriter(below, upper)
  const place = writer.resolve(path)
  const isMissing = place.entries.includes(undefined)
  const owner = isMissing && user !== '' ? findOwner(user, below) : undefined
  writer.makeFolders(place, { mode: 0o755, owner })
  return isMissing
}
