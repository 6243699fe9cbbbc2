/** passwd and group as a container has them: those of its image are read once for all containers that have written nothing yet. */
import { readdirSync } from 'node:fs'
import type { HostPath } from '../../../runtime/spec.ts'
import { readTreeFile } from '../../base/merged-tree.ts'
import type { UserFiles } from '../config/user.ts'

/** More than any real passwd or group: an image cannot fill the engine's memory with one. */
const largestFile = 1024 * 1024
/** Of images at once, and as many characters of each. */
const [mostKept, largestKept] = [64, 16 * 1024]

export class UserFilesOfImages {
  /** By the layers, which never change; whoever is asked for last stands last. */
  readonly #known = new Map<string, UserFiles>()

  /** `layers` lowest first, `upper` what the container has written over them. @throws Failure `invalid` when one is too large to be read. */
  of(layers: readonly HostPath[], upper: HostPath): UserFiles {
    if (layers.length === 0 || readdirSync(upper).length > 0) return readFiles([...layers, upper])
    const key = layers.join('\n')
    const files = this.#known.get(key) ?? readFiles(layers)
    this.#known.delete(key)
    if (files.passwd.length + files.group.length <= largestKept) this.#known.set(key, files)
    if (this.#known.size > mostKept) this.#known.delete(this.#known.keys().next().value!)
    return files
  }
}

function readFiles(tree: readonly HostPath[]): UserFiles {
  const text = (path: string) => readTreeFile(tree, path, largestFile)?.toString('utf8') ?? ''
  return { passwd: text('/etc/passwd'), group: text('/etc/group') }
}
