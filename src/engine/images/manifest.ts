/** OCI and Docker (schema 2) manifests and indexes: one document, one meaning. */
import { z } from 'zod'
import { Failure } from '../../lib/failure.ts'
import { type Digest, isDigest } from './digest.ts'
import { formatPlatform, type Platform } from './platform.ts'

const digestSchema = z.custom<Digest>(value => typeof value === 'string' && isDigest(value), 'not a sha256 digest')

const descriptorSchema = z.looseObject({
  mediaType: z.string().default(''),
  digest: digestSchema,
  size: z.int().min(0),
  platform: z.looseObject({ os: z.string(), architecture: z.string(), variant: z.string().optional() }).nullish(),
  annotations: z.record(z.string(), z.string()).nullish(),
})
export type Descriptor = z.infer<typeof descriptorSchema>

const manifestSchema = z.looseObject({
  schemaVersion: z.literal(2),
  config: descriptorSchema,
  // 127 is the most layers Docker makes; ten times that is a hostile document
  layers: z.array(descriptorSchema).max(1270),
})
const indexSchema = z.looseObject({ schemaVersion: z.literal(2), manifests: z.array(descriptorSchema).max(1000) })

export interface Manifest {
  readonly kind: 'manifest'
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
}
export interface Index {
  readonly kind: 'index'
  readonly manifests: readonly Descriptor[]
}

export const mediaTypes = {
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  dockerIndex: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
} as const

/** No manifest of a real image comes near; registries cut at the same size. */
export const largestDocument = 4 * 1024 * 1024

/**
 * Reads a manifest or an index.
 * @param announced the Content-Type it came with, which must not contradict what it says itself.
 * @throws Failure `invalid` naming `from`, `unsupported` for Docker's schema 1.
 */
export function parseManifest(data: Uint8Array, from: string, announced?: string): Manifest | Index {
  let json: unknown
  try {
    json = JSON.parse(Buffer.from(data).toString('utf8'))
  } catch (cause) {
    throw new Failure('invalid', `Cannot read manifest of ${from}: it is not JSON`, { cause })
  }
  if (typeof json !== 'object' || json === null) throw ambiguous(from, 'it is not an object')
  const document = json as Readonly<Record<string, unknown>>
  if (document['schemaVersion'] === 1) {
    throw new Failure('unsupported', `Cannot use manifest of ${from}: it has the withdrawn schema version 1`, {
      hint: 'Push the image again with a current tool',
    })
  }
  const isIndex = 'manifests' in document
  if (isIndex && ('layers' in document || 'config' in document)) {
    throw ambiguous(from, 'it is both an index and a manifest')
  }
  const indexTypes: readonly string[] = [mediaTypes.ociIndex, mediaTypes.dockerIndex]
  const known: readonly string[] = Object.values(mediaTypes)
  for (const type of [document['mediaType'], announced?.split(';')[0]?.trim()]) {
    if (typeof type === 'string' && known.includes(type) && indexTypes.includes(type) !== isIndex) {
      throw ambiguous(from, `its media type "${type}" says something else than its content`)
    }
  }
  const result = (isIndex ? indexSchema : manifestSchema).safeParse(document)
  if (!result.success) {
    const issue = result.error.issues[0]!
    throw ambiguous(from, `${issue.path.join('.')}: ${issue.message}`)
  }
  return isIndex
    ? { kind: 'index', manifests: (result.data as z.infer<typeof indexSchema>).manifests }
    : { kind: 'manifest', ...(result.data as z.infer<typeof manifestSchema>) }
}

/** The manifest of an index for a platform: the same variant first, then one without. @throws Failure `not-found` with Docker's text. */
export function choose(index: Index, wanted: Platform): Descriptor {
  const fitting = index.manifests.filter(
    ({ platform }) => platform?.os === wanted.os && platform.architecture === wanted.architecture,
  )
  const chosen =
    fitting.find(({ platform }) => platform?.variant === wanted.variant) ??
    fitting.find(({ platform }) => platform?.variant === undefined || wanted.variant === undefined) ??
    olderArm(fitting, wanted) ??
    // an index of one that names no platform can only mean that one
    (index.manifests.length === 1 && !index.manifests[0]!.platform ? index.manifests[0] : undefined)
  if (chosen === undefined) {
    throw new Failure('not-found', `no matching manifest for ${formatPlatform(wanted)} in the manifest list entries`)
  }
  return chosen
}

/** armv7 runs v6 and v5 too; armv8 runs no 32-bit here. */
function olderArm(fitting: readonly Descriptor[], wanted: Platform): Descriptor | undefined {
  if (wanted.architecture !== 'arm') return undefined
  const older = fitting.filter(({ platform }) => (platform?.variant ?? '') < (wanted.variant ?? ''))
  return older.sort((a, b) => (b.platform?.variant ?? '').localeCompare(a.platform?.variant ?? ''))[0]
}

function ambiguous(from: string, why: string): Failure {
  return new Failure('invalid', `Cannot use manifest of ${from}: ${why}`)
}
