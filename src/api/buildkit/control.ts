/** moby.buildkit.v1.Control: what a client asks of the builder itself. */
import { bytesMessage } from './bytes-message.ts'
import { field, list, map, message } from './message.ts'
import {
  buildkitVersion,
  definition,
  progressGroup,
  range,
  sourceInfo,
  sourcePolicy,
  timestamp,
  workerRecord,
} from './operations.ts'
import { rpcStatus } from './rpc-status.ts'
import { both, responses, service, unary } from './service.ts'

export const exporter = message({ type: field(1, 'string'), attributes: map(2, 'string') })
export const cacheEntry = message({ type: field(1, 'string'), attributes: map(2, 'string') })

export const solveRequest = message({
  ref: field(1, 'string'),
  definition: field(2, definition),
  /** Before there were `exporters`. */
  exporterType: field(3, 'string'),
  exporterAttributes: map(4, 'string'),
  session: field(5, 'string'),
  /** "" when the client is the frontend, by LLBBridge. */
  frontend: field(6, 'string'),
  frontendAttributes: map(7, 'string'),
  cache: field(8, message({ exports: list(4, cacheEntry), imports: list(5, cacheEntry) })),
  entitlements: list(9, 'string'),
  frontendInputs: map(10, definition),
  internal: field(11, 'bool'),
  sourcePolicy: field(12, sourcePolicy),
  exporters: list(13, exporter),
  enableSessionExporter: field(14, 'bool'),
})
export const solveResponse = message({ exporterResponse: map(1, 'string') })

export const vertex = message({
  digest: field(1, 'string'),
  inputs: list(2, 'string'),
  name: field(3, 'string'),
  cached: field(4, 'bool'),
  started: field(5, timestamp),
  completed: field(6, timestamp),
  error: field(7, 'string'),
  progressGroup: field(8, progressGroup),
  /** Ours: why it was not taken from the cache. Others skip it. */
  missed: field(7001, 'string'),
})
export const vertexStatus = message({
  id: field(1, 'string'),
  vertex: field(2, 'string'),
  name: field(3, 'string'),
  current: field(4, 'int64'),
  total: field(5, 'int64'),
  timestamp: field(6, timestamp),
  started: field(7, timestamp),
  completed: field(8, timestamp),
})
export const vertexLog = message({
  vertex: field(1, 'string'),
  timestamp: field(2, timestamp),
  /** 1 stdout, 2 stderr. */
  stream: field(3, 'int64'),
  data: field(4, 'bytes'),
})
export const vertexWarning = message({
  vertex: field(1, 'string'),
  level: field(2, 'int64'),
  short: field(3, 'bytes'),
  detail: list(4, 'bytes'),
  url: field(5, 'string'),
  info: field(6, sourceInfo),
  ranges: list(7, range),
})
export const statusResponse = message({
  vertexes: list(1, vertex),
  statuses: list(2, vertexStatus),
  logs: list(3, vertexLog),
  warnings: list(4, vertexWarning),
})

export const usageRecord = message({
  id: field(1, 'string'),
  mutable: field(2, 'bool'),
  inUse: field(3, 'bool'),
  size: field(4, 'int64'),
  createdAt: field(6, timestamp),
  lastUsedAt: field(7, timestamp),
  usageCount: field(8, 'int64'),
  description: field(9, 'string'),
  /** "regular", "source.local", "exec.cachemount", "frontend", "internal". */
  recordType: field(10, 'string'),
  shared: field(11, 'bool'),
  parents: list(12, 'string'),
})
const pruneRequest = message({
  filter: list(1, 'string'),
  all: field(2, 'bool'),
  /** Nanoseconds. */
  keepDuration: field(3, 'int64'),
  reservedSpace: field(4, 'int64'),
  maxUsedSpace: field(5, 'int64'),
  minFreeSpace: field(6, 'int64'),
})

const descriptor = message({
  mediaType: field(1, 'string'),
  digest: field(2, 'string'),
  size: field(3, 'int64'),
  annotations: map(5, 'string'),
})
export const historyRecord = message({
  ref: field(1, 'string'),
  frontend: field(2, 'string'),
  frontendAttributes: map(3, 'string'),
  exporters: list(4, exporter),
  error: field(5, rpcStatus),
  createdAt: field(6, timestamp),
  completedAt: field(7, timestamp),
  logs: field(8, descriptor),
  exporterResponse: map(9, 'string'),
  generation: field(12, 'int32'),
  pinned: field(14, 'bool'),
  cachedSteps: field(15, 'int32'),
  totalSteps: field(16, 'int32'),
  completedSteps: field(17, 'int32'),
  warnings: field(19, 'int32'),
})
const historyRequest = message({
  activeOnly: field(1, 'bool'),
  ref: field(2, 'string'),
  earlyExit: field(3, 'bool'),
  filter: list(4, 'string'),
  limit: field(5, 'int32'),
})
/** 0 started, 1 complete, 2 deleted. */
const historyEvent = message({ type: field(1, 'int32'), record: field(2, historyRecord) })
const historyUpdate = message({
  ref: field(1, 'string'),
  pinned: field(2, 'bool'),
  delete: field(3, 'bool'),
  finalize: field(4, 'bool'),
})
const nothing = message({})

export const control = service('moby.buildkit.v1.Control', {
  diskUsage: unary('DiskUsage', message({ filter: list(1, 'string') }), message({ record: list(1, usageRecord) })),
  prune: responses('Prune', pruneRequest, usageRecord),
  solve: unary('Solve', solveRequest, solveResponse),
  status: responses('Status', message({ ref: field(1, 'string') }), statusResponse),
  session: both('Session', bytesMessage, bytesMessage),
  listWorkers: unary('ListWorkers', message({ filter: list(1, 'string') }), message({ record: list(1, workerRecord) })),
  info: unary('Info', nothing, message({ version: field(1, buildkitVersion) })),
  listenBuildHistory: responses('ListenBuildHistory', historyRequest, historyEvent),
  updateBuildHistory: unary('UpdateBuildHistory', historyUpdate, nothing),
})
