/** Images in a temporary store, for the tests beside. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { TestContext } from 'node:test'
import { Events } from '../../../src/engine/base/events.ts'
import { Images } from '../../../src/engine/images/images.ts'
import type { UnpackLimits } from '../../../src/engine/images/unpack-limits.ts'
import { lacking, root } from '../../support/needs.ts'
import { temporaryPaths } from '../../support/temporary-paths.ts'
import { threads } from '../../support/unpack-threads.ts'

export const skip = lacking(root())
/** Nobody uses an image. */
export const nobody = { usedBy: () => [] }
export const of = (...data: readonly Buffer[]) => Readable.from(data)

/** Images in folders of their own. */
export async function store(t: TestContext, limits?: Partial<UnpackLimits>) {
  const paths = temporaryPaths(t)
  const events = new Events()
  return {
    paths,
    events,
    images: await Images.open(paths, events, { limits, threads }),
    /** As an engine does at its start. */
    again: async () => {
      const images = await Images.open(paths, events, { threads })
      await images.settle()
      return images
    },
  }
}

/** Names of everything under layers, blobs and tmp. */
export function inventory(paths: { readonly images: string }) {
  const names = (folder: string) => readdirSync(join(paths.images, folder)).sort()
  return { layers: names('layers'), blobs: names('blobs/sha256'), tmp: names('tmp') }
}

export const nothing = { layers: [], blobs: [], tmp: [] }
