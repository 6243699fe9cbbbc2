/** Endpoints of volumes. */
import { endpoint, json, table } from './endpoint.ts'

type StringMap = Readonly<Record<string, string>>

export interface VolumeCreate {
  /** "" and absent: anonymous, 64 hex digits. */
  readonly Name?: string
  readonly Driver?: string
  readonly DriverOpts?: StringMap
  readonly Labels?: StringMap
  /** Of a volume of a swarm. */
  readonly ClusterVolumeSpec?: unknown
}

/** Ours: another volume with the same content. */
export interface VolumeClone {
  readonly Name: string
  readonly Labels?: StringMap
}

export interface VolumeInspect {
  readonly CreatedAt?: string
  readonly Driver: string
  readonly Labels: StringMap | null
  readonly Mountpoint: string
  readonly Name: string
  readonly Options: StringMap | null
  readonly Scope: string
  /** In system df only. */
  readonly UsageData?: { readonly RefCount: number; readonly Size: number }
}

export interface VolumeList {
  readonly Volumes: readonly VolumeInspect[] | null
  readonly Warnings: readonly string[] | null
}

export interface VolumesPruned {
  readonly VolumesDeleted: readonly string[] | null
  readonly SpaceReclaimed: number
}

export const volumeEndpoints = table({
  volumeList: endpoint('GET', '/volumes', { query: { filters: 'filters' }, reply: json<VolumeList>() }),
  volumeCreate: endpoint('POST', '/volumes/create', {
    body: json<VolumeCreate>(({ z, stringMap, text }) => {
      const own = { Name: text, Driver: text, DriverOpts: stringMap, Labels: stringMap }
      return z.object({ ...own, ClusterVolumeSpec: z.unknown().optional() })
    }),
    reply: json<VolumeInspect>(),
    status: 201,
  }),
  volumePrune: endpoint('POST', '/volumes/prune', { query: { filters: 'filters' }, reply: json<VolumesPruned>() }),
  volumeInspect: endpoint('GET', '/volumes/{name}', { reply: json<VolumeInspect>() }),
  volumeClone: endpoint('POST', '/volumes/{name}/clone', {
    body: json<VolumeClone>(({ z, stringMap }) => z.object({ Name: z.string(), Labels: stringMap })),
    reply: json<VolumeInspect>(),
    status: 201,
  }),
  volumeRemove: endpoint('DELETE', '/volumes/{name}', { query: { force: 'boolean' } }),
})
