/** moby.buildkit.v1.frontend.LLBBridge: what a client asks while it is the frontend of a build. */
import { cacheEntry } from './control.ts'
import { fileStat } from './file-sync.ts'
import { field, list, map, message } from './message.ts'
import { definition, platform, range, sourceInfo, sourceOperation, sourcePolicy, workerRecord } from './operations.ts'
import { rpcStatus } from './rpc-status.ts'
import { service, unary } from './service.ts'

const ref = message({ id: field(1, 'string'), definition: field(2, definition) })
export const result = message({
  ref: field(3, ref),
  refs: field(4, message({ refs: map(1, ref) })),
  metadata: map(10, 'bytes'),
})

const solveRequest = message({
  definition: field(1, definition),
  frontend: field(2, 'string'),
  frontendOptions: map(3, 'string'),
  allowResultReturn: field(5, 'bool'),
  allowResultArrayRef: field(6, 'bool'),
  final: field(10, 'bool'),
  cacheImports: list(12, cacheEntry),
  frontendInputs: map(13, definition),
  evaluate: field(14, 'bool'),
  sourcePolicies: list(15, sourcePolicy),
})

export const apiCapability = message({
  id: field(1, 'string'),
  enabled: field(2, 'bool'),
  disabledReason: field(4, 'string'),
  disabledReasonMessage: field(5, 'string'),
})

const resolveImageConfig = message({
  ref: field(1, 'string'),
  platform: field(2, platform),
  resolveMode: field(3, 'string'),
  logName: field(4, 'string'),
})
const resolveSourceMeta = message({
  source: field(1, sourceOperation),
  platform: field(2, platform),
  logName: field(3, 'string'),
  resolveMode: field(4, 'string'),
})
const nothing = message({})
const atPath = message({ ref: field(1, 'string'), path: field(2, 'string') })

export const llbBridge = service('moby.buildkit.v1.frontend.LLBBridge', {
  resolveImageConfig: unary(
    'ResolveImageConfig',
    resolveImageConfig,
    message({ digest: field(1, 'string'), config: field(2, 'bytes'), ref: field(3, 'string') }),
  ),
  resolveSourceMeta: unary(
    'ResolveSourceMeta',
    resolveSourceMeta,
    message({
      source: field(1, sourceOperation),
      image: field(2, message({ digest: field(1, 'string'), config: field(2, 'bytes') })),
    }),
  ),
  solve: unary('Solve', solveRequest, message({ ref: field(1, 'string'), result: field(3, result) })),
  readFile: unary(
    'ReadFile',
    message({
      ref: field(1, 'string'),
      path: field(2, 'string'),
      range: field(3, message({ offset: field(1, 'int64'), length: field(2, 'int64') })),
    }),
    message({ data: field(1, 'bytes') }),
  ),
  readDir: unary(
    'ReadDir',
    message({ ref: field(1, 'string'), path: field(2, 'string'), include: field(3, 'string') }),
    message({ entries: list(1, fileStat) }),
  ),
  statFile: unary('StatFile', atPath, message({ stat: field(1, fileStat) })),
  evaluate: unary('Evaluate', message({ ref: field(1, 'string') }), nothing),
  ping: unary(
    'Ping',
    nothing,
    message({
      frontendCapabilities: list(1, apiCapability),
      llbCapabilities: list(2, apiCapability),
      workers: list(3, workerRecord),
    }),
  ),
  return: unary('Return', message({ result: field(1, result), error: field(2, rpcStatus) }), nothing),
  inputs: unary('Inputs', nothing, message({ definitions: map(1, definition) })),
  warn: unary(
    'Warn',
    message({
      digest: field(1, 'string'),
      level: field(2, 'int64'),
      short: field(3, 'bytes'),
      detail: list(4, 'bytes'),
      url: field(5, 'string'),
      info: field(6, sourceInfo),
      ranges: list(7, range),
    }),
    nothing,
  ),
})
