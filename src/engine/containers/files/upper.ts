/** A container's writable layer: made when it is first needed, with the owner and mode of its image's root. */
import { chmodSync, chownSync, mkdirSync, statSync } from 'node:fs'
import type { HostPath } from '../../../runtime/spec.ts'
import type { Container } from '../container.ts'
import type { Parts } from '../parts.ts'

/** Makes the writable layer when there is none yet; by calls that are too short to be worth a thread. */
export async function ensureUpper(parts: Parts, container: Container, layers: readonly HostPath[]): Promise<void> {
  const upper = parts.paths.containerUpper(container.id)
  // recursive: the first folder made, undefined when it was all there
  const made = mkdirSync(upper, { recursive: true })
  mkdirSync(parts.paths.containerWork(container.id), { recursive: true, mode: 0o700 })
  if (made === undefined) return
  const top = layers.at(-1)
  const { mode, uid, gid } = top === undefined ? { mode: 0o755, uid: 0, gid: 0 } : statSync(top)
  if (uid !== 0 || gid !== 0) chownSync(upper, uid, gid)
  chmodSync(upper, mode & 0o7777)
}
