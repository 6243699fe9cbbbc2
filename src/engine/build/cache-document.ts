/**
 * A build's cache as an image: its layers are those of the steps, and its configuration says which step made which. An image that was
 * built with `cache-to type=inline` has the same member for its own steps. What BuildKit keeps there is not read: its keys are of another kind.
 */
import { z } from 'zod'
import { Failure } from '../../lib/failure.ts'
import { type Digest, digestOf } from '../images/digest.ts'
import { type ImageDocument, imageDocumentSchema } from '../images/image.ts'
import { machine } from '../images/platform.ts'
import { type CacheRecord, cacheRecordSchema } from './cache.ts'

const member = 'tscompose.buildcache'
const version = 1
/** Steps of all stages of one build; more is no honest document. */
const mostRecords = 10_000

const memberSchema = z.object({ version: z.literal(version), records: z.array(cacheRecordSchema).max(mostRecords) })

/** What is put into the configuration of an image. */
export function cacheMember(records: readonly CacheRecord[]): Readonly<Record<string, unknown>> {
  return { [member]: { version, records } }
}

/** The same records give the same document. */
export function cacheDocument(records: readonly CacheRecord[]): {
  readonly data: Buffer
  readonly id: Digest
  readonly document: ImageDocument
} {
  const { os, architecture, variant } = machine()
  const layers = [...new Set(records.flatMap(({ layer }) => layer ?? []))]
  const data = Buffer.from(
    JSON.stringify({
      architecture,
      ...(variant && { variant }),
      os,
      config: {},
      rootfs: { type: 'layers', diff_ids: layers },
      history: [],
      ...cacheMember(records),
    }),
  )
  return { data, id: digestOf(data), document: imageDocumentSchema.parse(JSON.parse(data.toString())) }
}

/** The steps that a configuration knows, none when it has no such member. @throws Failure `invalid` naming `from`. */
export function recordsOf(document: ImageDocument, from: string): readonly CacheRecord[] {
  const found = document[member]
  if (found === undefined) return []
  const result = memberSchema.safeParse(found)
  if (result.success) return result.data.records
  const { path, message } = result.error.issues[0]!
  throw new Failure('invalid', `Cannot use the build cache of ${from}: ${path.join('.')}: ${message}`)
}
