import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { Events } from '../../../src/engine/base/events.ts'
import { Images } from '../../../src/engine/images/images.ts'
import { temporaryPaths } from '../../support/temporary-paths.ts'
import { threads } from '../../support/unpack-threads.ts'

export async function store(t: TestContext) {
  const paths = temporaryPaths(t)
  return { paths, images: await Images.open(paths, new Events(), { threads, registries: { backoff: 1 } }) }
}

export function inventory(paths: { readonly images: string }) {
  return ['layers', 'blobs/sha256', 'tmp'].map(folder => readdirSync(join(paths.images, folder)).length)
}
