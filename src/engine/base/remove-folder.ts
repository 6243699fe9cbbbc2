/**
 * A folder and all that is in it → nothing, whatever a container made of it or does to it meanwhile.
 *
 * Each folder is held open and names are removed below its descriptor: a link that is swapped in leads nowhere. Depth costs
 * neither descriptors nor stack: what lies too deep is first moved up. Small folders go at once, large ones in slices.
 */
import { randomBytes } from 'node:crypto'
import { closeSync, constants, openSync, readdirSync, renameSync, rmdirSync, unlinkSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { errnoOf } from '../../lib/failure.ts'
import type { HostPath } from '../../runtime/spec.ts'

const folderOnly = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW
/** Milliseconds between two turns of the event loop. */
const slice = 5
const deepest = 64
/** How often a folder is gone through again that others still write to. */
const patience = 10

/** Resolves when it is gone, also when it was not there. Follows no link. */
export async function removeFolder(path: HostPath): Promise<void> {
  let top: number
  try {
    top = openSync(path, folderOnly)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return
    throw error
  }
  try {
    await new Removal(top).run()
  } finally {
    closeSync(top)
  }
  rmdirSync(path)
}

class Removal {
  readonly #top: number
  #until = performance.now() + slice
  #lifted = false
  #refilled = false

  constructor(top: number) {
    this.#top = top
  }

  async run(): Promise<void> {
    for (let refills = 0; ; ) {
      this.#lifted = this.#refilled = false
      await this.#empty(this.#top, 0)
      if (!this.#lifted && (!this.#refilled || ++refills > patience)) return
    }
  }

  async #empty(fd: number, depth: number): Promise<void> {
    for (const entry of readdirSync(`/proc/self/fd/${fd}`, { withFileTypes: true, encoding: 'buffer' })) {
      if (performance.now() > this.#until) {
        await turn()
        this.#until = performance.now() + slice
      }
      // names are bytes, not always text
      const at = Buffer.concat([Buffer.from(`/proc/self/fd/${fd}/`), entry.name])
      try {
        if (!entry.isDirectory()) unlinkSync(at)
        else if (depth === deepest) {
          renameSync(at, `/proc/self/fd/${this.#top}/.${randomBytes(16).toString('hex')}`)
          this.#lifted = true
        } else {
          const inner = openSync(at, folderOnly)
          try {
            await this.#empty(inner, depth + 1)
          } finally {
            closeSync(inner)
          }
          rmdirSync(at)
        }
      } catch (error) {
        // someone else still has it open: it has become something else, or is filled again
        if (!['ENOENT', 'ENOTDIR', 'ELOOP', 'EISDIR', 'ENOTEMPTY'].includes(errnoOf(error) ?? '')) throw error
        this.#refilled = true
      }
    }
  }
}
