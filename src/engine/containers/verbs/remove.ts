/** Removes a container that does not run, with its writable layer, its log and, when asked, its anonymous volumes. */
import { renameSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { debug } from '../../../lib/debug.ts'
import { errnoOf, Failure, isFailure, messageOf } from '../../../lib/failure.ts'
import { removeFolder } from '../../base/remove-folder.ts'
import type { Container } from '../container.ts'
import { removeNetwork } from '../network.ts'
import { type Parts, tell } from '../parts.ts'
import { leaveLog, removeLog } from '../stdio/tend-log.ts'

const log = debug('containers')

export interface RemoveRequest {
  readonly force?: boolean
  readonly volumes?: boolean
  /** Its log stays, as the past of a container of this name. */
  readonly keepsLogAs?: string | undefined
}

/** With `force` a running one is killed: before its turn, so that it need not wait for whoever stops it in peace, and in it. */
export async function beforeRemoval(
  container: Container,
  { force }: RemoveRequest,
  kill: () => Promise<void>,
): Promise<void> {
  if (!force || !container.running) return
  try {
    container.note({ stoppedOnPurpose: true })
    await kill()
  } catch (error) {
    // it ended by itself
    if (!isFailure(error, 'conflict')) throw error
    await container.settled
  }
}

/** @throws Failure `conflict` in Docker's words when it runs. */
export function checkRemovable(container: Container, { force }: RemoveRequest): void {
  const { status } = container.state
  if (container.running || (status === 'restarting' && !force))
    throw new Failure(
      'conflict',
      `cannot remove container "${container.name}": container is ${status}: stop the container before removing or force remove`,
    )
}

export interface RemoveOptions {
  readonly volumes: boolean
  readonly keepsLogAs: string | undefined
  /** Ids of the containers that mount a volume. */
  readonly usersOfVolume: (name: string) => readonly string[]
  /** Takes it out of the collection. */
  readonly forget: (container: Container) => void
}

export async function remove(parts: Parts, container: Container, options: RemoveOptions): Promise<void> {
  clearTimeout(container.restart)
  await container.settled
  container.move('removing')
  try {
    await removeParts(parts, container, options.keepsLogAs)
  } catch (error) {
    // whoever asks again goes on where this one could not
    container.move('dead', { error: messageOf(error) })
    throw error
  }
  options.forget(container)
  parts.users.release(container.id)
  parts.networks.dns.forget(container.id)
  if (options.volumes) await removeVolumes(parts, container, options)
  tell(parts, container, 'destroy')
  for (const client of container.waiting) client.end()
  container.announceRemoved()
}

async function removeParts(parts: Parts, container: Container, keepsLogAs: string | undefined): Promise<void> {
  const { paths } = parts
  await Promise.all([removeNetwork(parts, container), removeLog(parts, container)])
  await leaveLog(parts, container, keepsLogAs)
  const folder = paths.container(container.id)
  const doomed = join(dirname(folder), `.${container.id}`)
  // out of the way first: what an engine that is killed here leaves is no container any more, and the next one clears it away
  renameIfThere(folder, doomed)
  await Promise.all([removeFolder(doomed), removeFolder(paths.containerRun(container.id))])
  await parts.images.release(container.id)
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    // somebody removed it by hand
    if (errnoOf(error) !== 'ENOENT') throw error
  }
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
