/** One build on a builder that speaks BuildKit's protocol, whoever's it is: what is asked, what it calls back for, what it tells. */
import { randomBytes } from 'node:crypto'
import { receiptKey } from '../../api/build-receipts.ts'
import { control } from '../../api/buildkit/control.ts'
import { llbBridge } from '../../api/buildkit/gateway.ts'
import { GrpcClient } from '../../api/buildkit/grpc-client.ts'
import { GrpcFailure, statusOf } from '../../api/buildkit/grpc-status.ts'
import { isFailure } from '../../lib/failure.ts'
import type { Client } from '../client.ts'
import { BuildFailure } from './build-failure.ts'
import { type BuildEvent, eventsOf } from './events.ts'
import type { Served } from './served.ts'
import { openSession } from './session.ts'

export interface Cache {
  readonly type: string
  readonly attributes: ReadonlyMap<string, string>
}

export interface Solve {
  /** Options of the frontend dockerfile.v0. */
  readonly attributes: ReadonlyMap<string, string>
  /** The image's; none makes one without a name. */
  readonly names: readonly string[]
  readonly entitlements: readonly string[]
  readonly cacheFrom: readonly Cache[]
  readonly cacheTo: readonly Cache[]
  readonly served: Served
  readonly sharedKey: string
}

export interface SolveOptions {
  readonly signal: AbortSignal
  readonly onEvent: (event: BuildEvent) => void
}

/** The build that a call of a frontend belongs to. */
const buildIdKey = 'buildkit-controlapi-buildid'

/** How long the builder may take to tell the rest once it is done. */
const lastWords = 5000

/** What the exporter says of the image. @throws BuildFailure of a build that failed, Failure of a builder that cannot be reached */
export function solve(client: Client, request: Solve, options: SolveOptions): Promise<ReadonlyMap<string, string>> {
  const { signal } = options
  return connected(client, request, options, async ({ grpc, ref, session }) => {
    const frontendAttributes = await withGateway(grpc, request.attributes, signal)
    const exporter = { type: 'moby', attributes: new Map([['name', request.names.join(',')]]) }
    const { exporterResponse } = await grpc.call(
      control.solve,
      {
        ref,
        session,
        frontend: 'dockerfile.v0',
        frontendAttributes,
        entitlements: request.entitlements,
        cache: { imports: request.cacheFrom, exports: request.cacheTo },
        exporters: [exporter],
        // for builders of before there were several
        exporterType: exporter.type,
        exporterAttributes: exporter.attributes,
      },
      { signal, metadata: new Map([[receiptKey, ['1']]]) },
    )
    return exporterResponse
  })
}

const hostsKey = 'add-hosts'
const gatewayLabel = 'org.mobyproject.buildkit.worker.moby.host-gateway-ip'

/** "host-gateway" among the hosts is an address that only the builder knows; one that does not tell it takes the word itself. */
async function withGateway(
  grpc: GrpcClient,
  attributes: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const hosts = attributes.get(hostsKey) ?? ''
  if (!/=host-gateway(,|$)/.test(hosts)) return attributes
  const { record } = await grpc.call(control.listWorkers, {}, { signal })
  const address = record.map(({ labels }) => labels.get(gatewayLabel)).find(Boolean)
  if (!address) return attributes
  return new Map([...attributes, [hostsKey, hosts.replace(/=host-gateway(?=,|$)/g, `=${address}`)]])
}

/** What the Dockerfile frontend answers to a question about a build (`frontend.lint`) instead of building. @throws As `solve` */
export async function ask(
  client: Client,
  request: Pick<Solve, 'attributes' | 'served' | 'sharedKey'> & { readonly question: string },
  { signal, onEvent }: SolveOptions,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const { question, attributes, served, sharedKey } = request
  return connected(client, { served, sharedKey }, { signal, onEvent }, async ({ grpc, ref, session }) => {
    const metadata = new Map([[buildIdKey, [ref]]])
    // goes on until the answer is returned
    const solving = grpc.call(control.solve, { ref, session }, { signal })
    const answering = (async () => {
      const frontendOptions = new Map([...attributes, ['requestid', question], ['frontend.caps', subrequests]])
      const request = { frontend: 'dockerfile.v0', frontendOptions, allowResultReturn: true, allowResultArrayRef: true }
      try {
        const { result } = await grpc.call(llbBridge.solve, request, { metadata, signal })
        await grpc.call(llbBridge.return, { result: {} }, { metadata, signal })
        return result?.metadata ?? new Map<string, Uint8Array>()
      } catch (error) {
        await grpc.call(llbBridge.return, { error: statusOf(error) }, { metadata, signal }).catch(() => {
          // it has ended already, and the first error says why
        })
        throw error
      }
    })()
    const [answer] = await Promise.all([answering, solving])
    return answer
  })
}

const subrequests = 'moby.buildkit.frontend.subrequests'

interface Connected {
  readonly grpc: GrpcClient
  readonly ref: string
  readonly session: string
}

/** With the builder to be called, a session it can call, and its status told. */
async function connected<T>(
  client: Client,
  { served, sharedKey }: Pick<Solve, 'served' | 'sharedKey'>,
  { signal, onEvent }: SolveOptions,
  work: (connected: Connected) => Promise<T>,
): Promise<T> {
  const [ref, session] = [newRef(), newRef()]
  // not AbortSignal.any: nobody but its listeners would hold such a signal, and it may be collected before it fires
  const over = new AbortController()
  const stop = () => over.abort(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  const opening = openSession(client, served, { id: session, sharedKey, signal: over.signal })
  // told where it is waited for
  opening.catch(() => {})
  let grpc: GrpcClient | undefined
  try {
    grpc = new GrpcClient(await client.upgrade('/grpc', { signal }))
    const serving = await opening
    const watching = watch(grpc, ref, { signal: over.signal, onEvent })
    try {
      return await work({ grpc, ref, session })
    } catch (error) {
      throw error instanceof GrpcFailure && error.kind !== 'cancelled' ? new BuildFailure(error) : error
    } finally {
      await told(watching)
      over.abort()
      await serving.over
    }
  } finally {
    signal.removeEventListener('abort', stop)
    over.abort()
    grpc?.close()
  }
}

/** Until the builder has told all there is. */
async function watch(grpc: GrpcClient, ref: string, { signal, onEvent }: SolveOptions): Promise<void> {
  try {
    for await (const status of grpc.responses(control.status, { ref }, { signal }))
      for (const event of eventsOf(status)) onEvent(event)
  } catch (error) {
    // how the build ended is what `Solve` says; this was to look on
    if (!isFailure(error)) throw error
  }
}

async function told(watching: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>(resolve => {
    timer = setTimeout(resolve, lastWords)
  })
  await Promise.race([watching, late])
  clearTimeout(timer)
}

/** As BuildKit makes them: 25 letters and digits. */
function newRef(): string {
  return BigInt(`0x${randomBytes(17).toString('hex')}`)
    .toString(36)
    .padStart(25, '0')
    .slice(-25)
}
