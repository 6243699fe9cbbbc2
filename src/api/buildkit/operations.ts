/** What BuildKit's messages share: places in a source, platforms, definitions (LLB, of which only the source is read), workers. */
import { field, list, map, message } from './message.ts'

/** Seconds and nanoseconds since 1970. */
export const timestamp = message({ seconds: field(1, 'int64'), nanos: field(2, 'int32') })

/** Of milliseconds since 1970. */
export function timestampOf(milliseconds: number): { readonly seconds: number; readonly nanos: number } {
  const seconds = Math.floor(milliseconds / 1000)
  return { seconds, nanos: Math.floor((milliseconds - seconds * 1000) * 1e6) }
}

export function millisecondsOf({ seconds, nanos }: { readonly seconds: number; readonly nanos: number }): number {
  return seconds * 1000 + nanos / 1e6
}

export const platform = message({
  architecture: field(1, 'string'),
  os: field(2, 'string'),
  variant: field(3, 'string'),
  osVersion: field(4, 'string'),
  osFeatures: list(5, 'string'),
})

/** Lines from 1. */
const position = message({ line: field(1, 'int32'), character: field(2, 'int32') })
export const range = message({ start: field(1, position), end: field(2, position) })
const location = message({ sourceIndex: field(1, 'int32'), ranges: list(2, range) })
const locations = message({ locations: list(1, location) })
/** Without the definition it may carry. */
export const sourceInfo = message({
  filename: field(1, 'string'),
  data: field(2, 'bytes'),
  language: field(4, 'string'),
})
const source = message({ locations: map(1, locations), infos: list(2, sourceInfo) })

/** Each `def` is an operation of its own, the last one names the result; `metadata` by their digests. */
export const definition = message({
  def: list(1, 'bytes'),
  metadata: map(2, message({ description: map(2, 'string') })),
  source: field(3, source),
})

/** "local://context", "docker-image://…". */
export const sourceOperation = message({ identifier: field(1, 'string'), attributes: map(2, 'string') })
const input = message({ digest: field(1, 'string'), index: field(2, 'int64') })
export const operation = message({ inputs: list(1, input), source: field(3, sourceOperation) })

export const progressGroup = message({ id: field(1, 'string'), name: field(2, 'string'), weak: field(3, 'bool') })

export const buildkitVersion = message({
  package: field(1, 'string'),
  version: field(2, 'string'),
  revision: field(3, 'string'),
})

const gcPolicy = message({
  all: field(1, 'bool'),
  keepDuration: field(2, 'int64'),
  reservedSpace: field(3, 'int64'),
  filters: list(4, 'string'),
  maxUsedSpace: field(5, 'int64'),
  minFreeSpace: field(6, 'int64'),
})

export const workerRecord = message({
  id: field(1, 'string'),
  labels: map(2, 'string'),
  platforms: list(3, platform),
  gcPolicy: list(4, gcPolicy),
  buildkitVersion: field(5, buildkitVersion),
})

/** Rules that only need to be seen to be refused. */
export const sourcePolicy = message({ version: field(1, 'int64'), rules: list(2, 'bytes') })
