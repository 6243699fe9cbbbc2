/**
 * A layer beneath those of every image, with what the runtime mounts over in each container: otherwise it would make a dozen files and
 * folders in each one's own layer, some of them in a copy of the image's /etc. What an image has in these places lies above it.
 */
import { chmodSync, closeSync, existsSync, lstatSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf } from '../../../lib/failure.ts'
import type { HostPath } from '../../../runtime/spec.ts'
import type { Aside } from '../../base/aside.ts'
import type { Paths } from '../../base/paths.ts'
import { hostFileNames } from './host-files.ts'

const folders = ['proc', 'dev', 'sys', 'etc'] as const

/** Makes it, or what is missing of it; what is something else is kept aside. Never fails: a disk may be full. */
export async function makeMountPoints(paths: Paths, aside: Aside): Promise<void> {
  const root = paths.mountPoints
  try {
    for (const folder of [root, ...folders.map(name => join(root, name))]) {
      await aside.folder(folder)
      chmodSync(folder, 0o755)
    }
    for (const file of filesOf(paths)) {
      if (lstatSync(file, { throwIfNoEntry: false })?.isFile() === false)
        aside.keep(file, `Cannot use "${file}" as a file to mount over`)
      closeSync(openSync(file, 'a'))
      chmodSync(file, 0o644)
    }
  } catch (error) {
    aside.say(`Each container has mount points of its own: ${messageOf(error)}`)
  }
}

/** Undefined when it is not there: the runtime then makes in each container what it mounts over. */
export function mountPoints(paths: Paths): HostPath | undefined {
  return filesOf(paths).every(file => existsSync(file)) ? paths.mountPoints : undefined
}

function filesOf(paths: Paths): readonly HostPath[] {
  return hostFileNames.map(name => join(paths.mountPoints, 'etc', name))
}
