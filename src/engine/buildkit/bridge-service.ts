/** LLBBridge: the frontend's side of a build, which buildx takes for itself and then asks for the Dockerfile frontend. */
import { randomBytes } from 'node:crypto'
import { llbBridge, type result } from '../../api/buildkit/gateway.ts'
import { type Call, type Implementation, implement } from '../../api/buildkit/grpc-server.ts'
import { failureOf } from '../../api/buildkit/grpc-status.ts'
import type { From } from '../../api/buildkit/message.ts'
import { Failure } from '../../lib/failure.ts'
import type { Job, JobResult, Jobs } from './jobs.ts'
import { definitionOf, refuseLlb } from './result-definition.ts'
import { type FrontendParts, runFrontend } from './run-frontend.ts'
import { solveError } from './solve-error.ts'
import { frontendCapabilities, llbCapabilities, type WorkerFacts, workerOf } from './worker.ts'

/** Metadata of each call: which build. */
const buildKey = 'buildkit-controlapi-buildid'

export interface BridgeParts extends FrontendParts {
  readonly jobs: Jobs
  readonly worker: WorkerFacts
}

export function bridgeService(parts: BridgeParts): Implementation {
  const jobOf = (call: Call) => parts.jobs.get(call.metadata.get(buildKey)?.[0] ?? '', call.signal)
  return implement(llbBridge, {
    ping: async (_, call) => {
      await jobOf(call)
      return { frontendCapabilities, llbCapabilities, workers: [workerOf(parts.worker)] }
    },
    solve: async (request, call) => {
      const job = await jobOf(call)
      if (request.frontend === '') {
        // what is handed back for evaluation has been built already
        if (request.definition === undefined || request.definition.def.length === 0) return { result: {} }
        throw refuseLlb()
      }
      try {
        const made = await runFrontend(
          job,
          {
            frontend: request.frontend,
            options: request.frontendOptions,
            inputs: request.frontendInputs,
            cacheImports: request.cacheImports,
            policies: [...request.sourcePolicies, ...(job.request.sourcePolicy ? [job.request.sourcePolicy] : [])],
          },
          parts,
        )
        return { result: noteResult(job, made) }
      } catch (error) {
        job.failure = error
        throw solveError(error, job.status.failed)
      }
    },
    evaluate: async ({ ref }, call) => {
      resultOf(await jobOf(call), ref)
      return {}
    },
    return: async ({ result: returned, error }, call) => {
      const job = await jobOf(call)
      if (error !== undefined && error.code !== 0) job.returned.reject(failureOf(error))
      else if (returned?.ref !== undefined && returned.ref.id !== '')
        job.returned.resolve(resultOf(job, returned.ref.id))
      else job.returned.resolve({ image: undefined, metadata: returned?.metadata ?? new Map() })
      return {}
    },
    inputs: async (_, call) => ({ definitions: (await jobOf(call)).request.frontendInputs }),
    warn: async (request, call) => {
      const job = await jobOf(call)
      job.status.warn({ ...request, vertex: request.digest })
      return {}
    },
  })
}

function noteResult(job: Job, made: JobResult): From<typeof result> {
  const { image, metadata } = made
  if (image === undefined) return { metadata }
  const id = randomBytes(12).toString('hex')
  job.results.set(id, made)
  return { ref: { id, definition: definitionOf(image.id) }, metadata }
}

function resultOf(job: Job, ref: string): JobResult {
  const found = job.results.get(ref)
  if (found === undefined) throw new Failure('not-found', `no such ref: ${ref}`)
  return found
}
