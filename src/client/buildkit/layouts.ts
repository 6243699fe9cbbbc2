/** OCI layouts of this machine as contexts of a build: the builder is told a digest, and reads blobs by theirs. (OCI image spec: image-layout.md) */
import { open, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Call, type Implementation, implement } from '../../api/buildkit/grpc-server.ts'
import { content, storeKey } from '../../api/buildkit/session-services.ts'
import { errnoOf, Failure } from '../../lib/failure.ts'

/** Bytes a message. */
const piece = 256 * 1024
const digestPattern = /^sha256:[0-9a-f]{64}$/

/** Layouts by the names that the builder knows them by. */
export function layoutService(layouts: ReadonlyMap<string, string>): Implementation {
  const blob = (digest: string, { metadata }: Call): string => {
    const name = metadata.get(storeKey)?.[0]?.replace(/^oci:/, '') ?? ''
    const folder = layouts.get(name)
    if (folder === undefined) throw new Failure('not-found', `OCI layout "${name}": not found`)
    // it becomes a path
    if (!digestPattern.test(digest)) throw new Failure('invalid', `digest "${digest}": it should be one of sha256`)
    return join(folder, 'blobs', 'sha256', digest.slice('sha256:'.length))
  }
  return implement(content, {
    info: async ({ digest }, call) => {
      const { size } = await found(digest, stat(blob(digest, call)))
      return { info: { digest, size } }
    },
    read: async function* ({ digest, offset, size }, call) {
      await using file = await found(digest, open(blob(digest, call), 'r'))
      // 0 is all there is
      const end = size > 0 ? offset + size : Number.POSITIVE_INFINITY
      for (let at = offset; at < end; ) {
        const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(piece), 0, Math.min(piece, end - at), at)
        if (bytesRead === 0) return
        yield { offset: at, data: buffer.subarray(0, bytesRead) }
        at += bytesRead
      }
    },
  })
}

async function found<T>(digest: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') throw new Failure('not-found', `blob ${digest}: not found`, { cause })
    throw cause
  }
}

export interface Layout {
  readonly folder: string
  readonly tag: string
  readonly digest: string
}

interface Index {
  readonly manifests?: readonly { readonly digest?: string; readonly annotations?: Readonly<Record<string, string>> }[]
}

/** "/folder", "/folder:tag", "/folder@sha256:…"; the tag "latest" is that of the only image, too. @throws Failure of one that is none. */
export async function findLayout(text: string): Promise<Layout> {
  const [place = '', digest] = text.split('@', 2)
  const [, folder = place, tag = 'latest'] = /^(.*):([^/:]+)$/.exec(place) ?? []
  if (digest !== undefined) return { folder, tag, digest }
  const { manifests = [] } = await readIndex(folder)
  const named = manifests.find(({ annotations }) => annotations?.['org.opencontainers.image.ref.name'] === tag)
  const chosen = named ?? (manifests.length === 1 && tag === 'latest' ? manifests[0] : undefined)
  if (chosen?.digest === undefined || !digestPattern.test(chosen.digest))
    throw new Failure('not-found', `OCI layout "${folder}" has no image "${tag}"`)
  return { folder, tag, digest: chosen.digest }
}

async function readIndex(folder: string): Promise<Index> {
  const path = join(folder, 'index.json')
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Index
  } catch (cause) {
    const why = cause instanceof SyntaxError ? 'it is not JSON' : (errnoOf(cause) ?? 'it failed')
    throw new Failure('invalid', `Cannot read "${path}" of an OCI layout: ${why}`, { cause })
  }
}
