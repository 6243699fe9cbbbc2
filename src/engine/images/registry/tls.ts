/** Certificates for one registry, in the layout of Docker's certs.d: read anew for each connection, so that a new one needs no restart. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { rootCertificates } from 'node:tls'
import { errnoOf, Failure } from '../../../lib/failure.ts'

export interface Certificates {
  /** PEM: the system's authorities and those of the folder. */
  readonly ca?: readonly string[]
  readonly cert?: string
  readonly key?: string
}

/**
 * What the first of `folders` that has a folder of this host's name holds; undefined when none has.
 * @throws Failure `invalid` for a certificate without its key, or what cannot be read.
 */
export async function certificatesOf(host: string, folders: readonly string[]): Promise<Certificates | undefined> {
  // what stands in an image's name must not lead out of the folder
  if (!/^(?:[\w.-]+|\[[0-9a-f:]+\])(?::\d+)?$/i.test(host) || host.startsWith('.')) return undefined
  for (const parent of folders) {
    const folder = join(parent, host)
    let names: readonly string[]
    try {
      names = (await readdir(folder)).sort()
    } catch (error) {
      if (['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '')) continue
      throw unreadable(folder, error)
    }
    return await inFolder(folder, names)
  }
  return undefined
}

async function inFolder(folder: string, names: readonly string[]): Promise<Certificates> {
  const read = async (name: string) => {
    try {
      return await readFile(join(folder, name), 'utf8')
    } catch (error) {
      throw unreadable(join(folder, name), error)
    }
  }
  const authorities = names.filter(name => name.endsWith('.crt'))
  const own = names.find(name => name.endsWith('.cert'))
  const key = own?.replace(/\.cert$/, '.key')
  if (own !== undefined && !names.includes(key!))
    throw new Failure('invalid', `Cannot use certificate "${join(folder, own)}": its key "${key}" is missing`)
  const ca = await Promise.all(authorities.map(read))
  return {
    ...(ca.length > 0 && { ca: [...rootCertificates, ...ca] }),
    ...(own !== undefined && { cert: await read(own), key: await read(key!) }),
  }
}

function unreadable(path: string, cause: unknown): Failure {
  return new Failure('invalid', `Cannot read certificates in "${path}": ${errnoOf(cause) ?? 'it failed'}`, { cause })
}
