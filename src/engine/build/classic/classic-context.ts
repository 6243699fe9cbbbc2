/** The body of `POST /build` → a folder: a tar, compressed or not, unpacked where nothing of it leads out. */
import { randomUUID } from 'node:crypto'
import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '../../../lib/failure.ts'
import type { HostPath } from '../../../runtime/spec.ts'
import type { Paths } from '../../base/paths.ts'
import { removeFolder } from '../../base/remove-folder.ts'
import type { RegistryAuth } from '../../images/auth.ts'
import { decompressed } from '../../images/compression.ts'
import type { Images } from '../../images/images.ts'
import { unpack } from '../../images/unpack.ts'
import type { BuildClient } from '../request.ts'

export interface ContextFolder extends AsyncDisposable {
  readonly path: HostPath
}

/** @throws Failure `invalid` for no tar, or one that reaches out. */
export async function unpackContext(
  { paths, images }: { readonly paths: Paths; readonly images: Images },
  body: AsyncIterable<Uint8Array>,
): Promise<ContextFolder> {
  const folder = join(paths.buildTemp, randomUUID())
  const path = join(folder, 'context')
  mkdirSync(path, { recursive: true })
  // whatever umask the engine has: users of a build look into it where it is mounted
  chmodSync(path, 0o755)
  try {
    const limits = await images.store.layers.unpackLimits()
    await unpack(decompressed(body), path, { ...limits, plain: true })
  } catch (error) {
    await removeFolder(folder)
    throw error
  }
  return { path, [Symbol.asyncDispose]: () => removeFolder(folder) }
}

/** A client that has sent all it has: one folder, and credentials. */
export function folderClient(folder: HostPath, auth: (domain: string) => RegistryAuth | undefined): BuildClient {
  return {
    context: async name => {
      if (name === 'context' || name === 'dockerfile') return folder
      throw new Failure('not-found', `Cannot find context "${name}": the classic build has one alone`)
    },
    secret: async id => {
      throw new Failure('not-found', `secret ${id}: not found`)
    },
    ssh: async () => undefined,
    blob: async (_, digest) => {
      throw new Failure('not-found', `blob ${digest}: not found`)
    },
    auth: async host => auth(host),
  }
}
