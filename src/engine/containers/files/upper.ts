/** A container's writable layer, or its whole copy of the image: made when it is first needed. */
import { chmodSync, mkdirSync } from 'node:fs'
import { Failure } from '../../../lib/failure.ts'
import type { Container } from '../container.ts'
import { imageLayers } from '../layers.ts'
import type { Parts } from '../parts.ts'
import { wholeCopy } from './whole-copy.ts'

/**
 * Makes it when there is none yet; an empty one by calls that are too short to be worth a thread. Its mode and owner are those of
 * the container's root: 0755 and root, whatever the image says of its own, as with Docker.
 * @throws Failure `not-found` for a container that is being removed or is removed: whoever looks into one waits for no turn, and what it
 * made anew would stay for ever.
 */
export async function ensureUpper(parts: Parts, container: Container): Promise<void> {
  if (container.state.status === 'removing') throw new Failure('not-found', `No such container: ${container.id}`)
  const upper = parts.paths.containerUpper(container.id)
  if (container.record.root === 'copy') await wholeCopy(imageLayers(parts.images, container.record), upper)
  // recursive: the first folder made, undefined when it was all there
  const made = mkdirSync(upper, { recursive: true })
  mkdirSync(parts.paths.containerWork(container.id), { recursive: true, mode: 0o700 })
  if (made !== undefined) chmodSync(upper, 0o755)
}
