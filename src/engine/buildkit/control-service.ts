/** Control: builds are started and watched here, and the builder tells what it is. */
import { receiptKey } from '../../api/build-receipts.ts'
import { control } from '../../api/buildkit/control.ts'
import { type Call, type Implementation, implement } from '../../api/buildkit/grpc-server.ts'
import { sessionHeaders } from '../../api/buildkit/session-headers.ts'
import type { CacheUsage } from '../build/cache-usage.ts'
import type { BridgeParts } from './bridge-service.ts'
import { checkExporters, type ExportBackend, runExporters } from './exports.ts'
import type { BuildHistory } from './history.ts'
import type { Job, JobResult } from './jobs.ts'
import { refuseLlb } from './result-definition.ts'
import { runFrontend } from './run-frontend.ts'
import type { Sessions } from './sessions.ts'
import { solveError } from './solve-error.ts'
import { openTunnel } from './tunnel.ts'
import { listUsage, pruneUsage } from './usage.ts'
import { version, workerOf } from './worker.ts'

export interface ControlParts extends BridgeParts {
  readonly exports: ExportBackend
  readonly usage: Pick<CacheUsage, 'list' | 'prune'>
  readonly history: BuildHistory
}

export function controlService(parts: ControlParts): Implementation {
  return implement(control, {
    solve: async (given, call) => {
      const request = given.exporters.length > 0 || given.exporterType === '' ? given : withExporter(given)
      if (request.definition !== undefined && request.definition.def.length > 0) throw refuseLlb()
      checkExporters({ request })
      return await remembered(parts, request, call.signal, async job => {
        try {
          const answer = await solve(job, parts)
          // others write all of the answer into files of theirs
          const asks = call.metadata.has(receiptKey) && job.receipt !== undefined
          return { exporterResponse: asks ? new Map([...answer, [receiptKey, job.receipt!]]) : answer }
        } catch (error) {
          throw solveError(job.failure ?? error, job.status.failed)
        } finally {
          for (const image of job.loose) await parts.backend.letGo(image)
        }
      })
    },
    status: ({ ref }, call) => watch(parts, ref, call),
    session: (received, call) => tunnelled(received, call, parts.sessions),
    listWorkers: () => ({ record: [workerOf(parts.worker)] }),
    info: () => ({ version }),
    diskUsage: async ({ filter }) => ({ record: await listUsage(parts.usage, filter) }),
    prune: request => pruneUsage(parts.usage, request),
    listenBuildHistory: (request, { signal }) => parts.history.listen(request, signal),
    updateBuildHistory: async request => {
      await parts.history.update(request)
      return {}
    },
  })
}

type Request = Job['request']

type Response = { readonly exporterResponse: ReadonlyMap<string, string> }

/** A build under its name, which is free again before its end is written to the history. */
async function remembered(
  { jobs, history }: ControlParts,
  request: Request,
  signal: AbortSignal,
  work: (job: Job) => Promise<Response>,
): Promise<Response> {
  let begun: Job | undefined
  try {
    const answer = await jobs.run(request, signal, job => {
      begun = job
      history.begin(job)
      return work(job)
    })
    await history.end(begun!, { response: answer.exporterResponse })
    return answer
  } catch (error) {
    if (begun) await history.end(begun, { error })
    throw error
  }
}

/** As it was said before there were several. */
function withExporter(request: Request): Request {
  return { ...request, exporters: [{ type: request.exporterType, attributes: request.exporterAttributes }] }
}

async function* tunnelled(
  received: Parameters<typeof openTunnel>[0],
  { metadata, signal }: Call,
  sessions: Sessions,
): AsyncGenerator<{ readonly data?: Uint8Array }> {
  const value = (header: string) => metadata.get(header.toLowerCase()) ?? []
  const take = sessions.open({
    id: value(sessionHeaders.id)[0] ?? '',
    sharedKey: value(sessionHeaders.sharedKey)[0] ?? '',
    methods: value(sessionHeaders.method),
  })
  const { connection, sent } = openTunnel(received)
  signal.addEventListener('abort', () => connection.destroy(), { once: true })
  const over = take(connection)
  yield* sent
  await over
}

async function* watch({ jobs, history }: ControlParts, ref: string, { signal }: Call) {
  const before = jobs.knows(ref) ? undefined : await history.status(ref)
  if (before !== undefined) yield before
  else yield* (await jobs.status(ref, signal)).read(signal)
}

async function solve(job: Job, parts: ControlParts): Promise<ReadonlyMap<string, string>> {
  const { request, signal } = job
  const { image, metadata } = await made(job, parts)
  const words = new Map([...metadata].map(([key, value]) => [key, Buffer.from(value).toString()]))
  if (image === undefined) return words
  if (request.exporters.length === 0) return new Map()
  const session = await parts.sessions.get(request.session, signal)
  return await runExporters(job, { image, backend: parts.exports, session })
}

/** By the frontend that was asked for, or by the client as it says itself. */
async function made(job: Job, parts: ControlParts): Promise<JobResult> {
  const { request, signal } = job
  if (request.frontend !== '')
    return await runFrontend(
      job,
      {
        frontend: request.frontend,
        options: request.frontendAttributes,
        inputs: request.frontendInputs,
        cacheImports: request.cache?.imports ?? [],
        policies: request.sourcePolicy ? [request.sourcePolicy] : [],
      },
      parts,
    )
  const left = () => job.returned.reject(signal.reason)
  signal.addEventListener('abort', left, { once: true })
  if (signal.aborted) left()
  try {
    return await job.returned.promise
  } finally {
    signal.removeEventListener('abort', left)
  }
}
