/** How roots of containers are made of layers: by overlay, or where the file system of the data does not take it, as whole copies. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf, Failure, isFailure } from '../../lib/failure.ts'
import { isRootless } from '../../runtime/host.ts'
import { tellsTypes, tryOverlay } from '../../runtime/native.ts'
import type { HostPath } from '../../runtime/spec.ts'
import type { Say } from './aside.ts'
import { reasonOf } from './space.ts'

/** Docker's names. `vfs`: each container has a copy of all of its image. */
export const storageDrivers = ['overlay2', 'vfs'] as const
export type StorageDriver = (typeof storageDrivers)[number]

/**
 * What was asked for, otherwise what works in this folder; whole copies are told of.
 * @throws Failure `unavailable` when overlay was asked for and does not work here.
 */
export function chooseDriver(data: HostPath, asked: StorageDriver | undefined, say: Say): StorageDriver {
  const why = asked === 'vfs' ? undefined : overlayRefused(data)
  if (why !== undefined && asked === 'overlay2')
    throw new Failure('unavailable', `Cannot use storage driver "overlay2" in "${data}": ${why}`, {
      hint: 'Use another file system, or --storage-driver vfs: whole copies',
    })
  if (asked !== 'vfs' && why === undefined) return 'overlay2'
  say(`each container has a whole copy of its image (vfs): ${why ?? 'it is set so'}`)
  return 'vfs'
}

/** Tries all that overlay is needed for, in a mount that nobody sees. Undefined when it works. */
function overlayRefused(data: HostPath): string | undefined {
  mkdirSync(data, { recursive: true })
  const place = mkdtempSync(join(data, 'overlay-'))
  try {
    const [lower, upper, work] = ['lower', 'upper', 'work'].map(name => join(place, name)) as [string, string, string]
    for (const folder of [lower, upper, work]) mkdirSync(folder)
    writeFileSync(join(lower, 'file'), '')
    tryOverlay({ lower, upper, work }, 'file', { userMarks: isRootless() })
    return tellsTypes(lower, 'file') ? undefined : 'its file system does not tell what kind a name is (d_type)'
  } catch (error) {
    if (isFailure(error) || errnoOf(error) === undefined || ['ENOSPC', 'EDQUOT'].includes(errnoOf(error)!)) throw error
    return `overlay is refused there: ${reasonOf(error)}`
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}
