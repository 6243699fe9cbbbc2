/** The query of `POST /build` → what is to be built: Docker's parameters, each as its clients send it. */
import { z } from 'zod'
import type { Endpoint, Query } from '../../../api/endpoint.ts'
import type { imageEndpoints } from '../../../api/images.ts'
import { Failure } from '../../../lib/failure.ts'
import type { Limits } from '../../../runtime/parts/cgroup-limits.ts'
import type { BuildClient, BuildRequest, CacheLocation } from '../request.ts'

type QueryOf<E extends Endpoint> = Query<E['query']>
export type ClassicQuery = QueryOf<(typeof imageEndpoints)['imageBuild']>

const values = z.record(z.string(), z.string().nullable())
const ulimits = z.array(z.object({ Name: z.string(), Soft: z.number().default(0), Hard: z.number().default(0) }))
const names = z.array(z.string())

/** @throws Failure `invalid` for what cannot be read, `unsupported` for what is not done here, each by its name. */
export function classicRequest(query: ClassicQuery, client: BuildClient): BuildRequest {
  if (query.squash) throw new Failure('unsupported', 'Cannot squash: layers are shared, and stay as they are made')
  for (const option of query.securityopt ?? [])
    throw new Failure('unsupported', `Cannot build with security option "${option}": builds have the default ones`)
  const cacheFrom = parsed('cachefrom', query.cachefrom, names) ?? []
  return {
    dockerfile: query.dockerfile || 'Dockerfile',
    target: query.target ?? '',
    args: given(buildArguments(query)),
    labels: given(parsed('labels', query.labels, values)),
    tags: (query.t ?? []).filter(tag => tag !== ''),
    platform: query.platform || undefined,
    noCache: query.nocache ?? false,
    pull: query.pull ?? false,
    network: query.networkmode || 'default',
    extraHosts: (query.extrahosts ?? []).map(extraHost),
    shmSize: query.shmsize || undefined,
    ulimits: (parsed('ulimits', query.ulimits, ulimits) ?? []).map(({ Name, Soft, Hard }) => ({
      name: Name,
      soft: Soft,
      hard: Hard,
    })),
    limits: limitsOf(query),
    cgroupParent: query.cgroupparent || undefined,
    keepCommands: query.forcerm ? undefined : query.rm === false ? 'ended' : 'failed',
    // whoever may call this may run a container on the host's network just as well
    entitlements: new Set(['network.host']),
    cacheFrom: cacheFrom.map((ref): CacheLocation => ({ type: 'registry', attributes: new Map([['ref', ref]]) })),
    cacheTo: [],
    namedContexts: new Map(query.remote ? [['context', { kind: 'remote', url: query.remote }]] : []),
    client,
  }
}

/** Null is one that the client has no value for. @throws Failure `invalid`. */
export function buildArguments(query: ClassicQuery): Readonly<Record<string, string | null>> | undefined {
  return parsed('buildargs', query.buildargs, values)
}

function parsed<T>(name: string, text: string | undefined, schema: z.ZodType<T>): T | undefined {
  if (text === undefined || text === '') return undefined
  let data: unknown
  try {
    data = JSON.parse(text)
  } catch (cause) {
    throw new Failure('invalid', `error reading build ${name}: it is not JSON`, { cause })
  }
  if (data === null) return undefined
  const result = schema.safeParse(data)
  if (!result.success) throw new Failure('invalid', `error reading build ${name}: ${result.error.issues[0]!.message}`)
  return result.data
}

function given(found: Readonly<Record<string, string | null>> | undefined): ReadonlyMap<string, string> {
  const entries = Object.entries(found ?? {})
  return new Map(entries.filter((entry): entry is [string, string] => entry[1] !== null))
}

/** "host:address" or "host=address". */
function extraHost(text: string): { readonly host: string; readonly address: string } {
  const at = text.search(/[:=]/)
  if (at < 1) throw new Failure('invalid', `invalid extra host: ${JSON.stringify(text)}`)
  return { host: text.slice(0, at), address: text.slice(at + 1) }
}

function limitsOf(query: ClassicQuery): Limits {
  const limits = {
    memory: query.memory,
    memorySwap: query.memswap,
    cpuShares: query.cpushares,
    cpuPeriod: query.cpuperiod,
    cpuQuota: query.cpuquota,
    cpusetCpus: query.cpusetcpus,
    cpusetMems: query.cpusetmems,
  }
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => Boolean(value)))
}
