/** Removes a container that does not run, with its writable layer, its log and, when asked, its anonymous volumes. */
import { rmSync } from 'node:fs'
import { debug } from '../../../lib/debug.ts'
import { isFailure, messageOf } from '../../../lib/failure.ts'
import { removeFolder } from '../../base/remove-folder.ts'
import type { Container } from '../container.ts'
import { releaseNetwork } from '../network.ts'
import { type Parts, tell } from '../parts.ts'

const log = debug('containers')

export interface RemoveOptions {
  readonly volumes: boolean
  /** Ids of the containers that mount a volume. */
  readonly usersOfVolume: (name: string) => readonly string[]
  /** Takes it out of the collection. */
  readonly forget: (container: Container) => void
}

export async function remove(parts: Parts, container: Container, options: RemoveOptions): Promise<void> {
  clearTimeout(container.restart)
  await container.settled
  container.move('removing')
  const { paths } = parts
  await releaseNetwork(parts, container)
  // first of all: what an engine that is killed here leaves has no record, and the next one clears it away
  rmSync(paths.containerRecord(container.id), { force: true })
  await Promise.all([removeFolder(paths.container(container.id)), removeFolder(paths.containerRun(container.id))])
  options.forget(container)
  if (options.volumes) await removeVolumes(parts, container, options)
  tell(parts, container, 'destroy')
  for (const client of container.waiting) client.end()
  container.announceRemoved()
}

/** The anonymous ones that nobody else mounts. */
async function removeVolumes(parts: Parts, container: Container, { usersOfVolume }: RemoveOptions): Promise<void> {
  for (const mount of container.record.mounts) {
    if (!mount.anonymous || !mount.name) continue
    try {
      await parts.volumes.remove(mount.name, { usedBy: usersOfVolume })
    } catch (error) {
      // Another container took it over by volumes_from, or it was removed by hand: not ours to insist.
      if (!isFailure(error, 'conflict') && !isFailure(error, 'not-found')) throw error
      log('volume %s stays: %s', mount.name, messageOf(error))
    }
  }
}
