/** Endpoints of images, the build included. */
import type { ContainerConfig } from './container-body.ts'
import { archive, bytes, empty, endpoint, json, optionalBytes, progress, table } from './endpoint.ts'
import type { BuildLine, Progress } from './json-lines.ts'

export interface ImageInspect {
  readonly Id: string
  readonly RepoTags: readonly string[] | null
  readonly RepoDigests: readonly string[] | null
  readonly Parent?: string
  readonly Comment?: string
  readonly Created?: string
  readonly DockerVersion?: string
  readonly Author?: string
  readonly Config?: { readonly [K in keyof ContainerConfig]?: ContainerConfig[K] | null } | null
  readonly Architecture: string
  readonly Variant?: string
  readonly Os: string
  readonly Size: number
  readonly GraphDriver?: { readonly Name: string; readonly Data: Readonly<Record<string, string>> | null }
  readonly RootFS?: { readonly Type: string; readonly Layers?: readonly string[] }
  readonly Metadata?: { readonly LastTagTime?: string }
  /** Below API 1.45; docker-compose 1.29 reads it always. */
  readonly Container?: string
  readonly ContainerConfig?: ImageInspect['Config']
  readonly VirtualSize?: number
}

export interface ImageSummary {
  readonly Id: string
  readonly ParentId: string
  readonly RepoTags: readonly string[] | null
  readonly RepoDigests: readonly string[] | null
  /** Seconds. */
  readonly Created: number
  readonly Size: number
  /** -1: not computed. */
  readonly SharedSize: number
  readonly Containers: number
  readonly Labels: Readonly<Record<string, string>> | null
  readonly VirtualSize?: number
}

export interface ImageHistory {
  readonly Id: string
  /** Seconds. */
  readonly Created: number
  readonly CreatedBy: string
  readonly Tags: readonly string[] | null
  readonly Size: number
  readonly Comment: string
}

/** What a registry has under a name. */
export interface DistributionInspect {
  readonly Descriptor: { readonly mediaType: string; readonly digest: string; readonly size: number }
  readonly Platforms: readonly { readonly architecture: string; readonly os: string; readonly variant?: string }[]
}

export interface BuildPruned {
  readonly CachesDeleted: readonly string[] | null
  readonly SpaceReclaimed: number
}

/** A step's result or the folder of a cache mount, in `system df`. */
export interface BuildCacheItem {
  readonly ID: string
  readonly Parents?: readonly string[]
  readonly Type: string
  readonly Description: string
  readonly InUse: boolean
  readonly Shared: boolean
  readonly Size: number
  readonly CreatedAt: string
  readonly LastUsedAt: string | null
  readonly UsageCount: number
}

export type ImageDeleted = { readonly Untagged: string } | { readonly Deleted: string }

export interface ImagesPruned {
  readonly ImagesDeleted: readonly ImageDeleted[] | null
  readonly SpaceReclaimed: number
}

/** The content of X-Registry-Auth, as JSON in base64url. */
export interface RegistryAuth {
  readonly username?: string
  readonly password?: string
  readonly auth?: string
  readonly email?: string
  readonly serveraddress?: string
  readonly identitytoken?: string
  readonly registrytoken?: string
}

export const registryAuth = { registryAuth: 'X-Registry-Auth' } as const

export const imageEndpoints = table({
  imageList: endpoint('GET', '/images/json', {
    query: {
      all: 'boolean',
      filters: 'filters',
      'shared-size': 'boolean',
      digests: 'boolean',
      manifests: 'boolean',
    },
    reply: json<readonly ImageSummary[]>(),
  }),
  /** Pull (fromImage, tag) or import of a root file system (fromSrc=-, the body is its tar). */
  imageCreate: endpoint('POST', '/images/create', {
    query: {
      fromImage: 'string',
      fromSrc: 'string',
      repo: 'string',
      tag: 'string',
      message: 'string',
      platform: 'string',
      changes: 'strings',
    },
    body: optionalBytes,
    reply: progress<Progress>(),
    headers: registryAuth,
  }),
  imageLoad: endpoint('POST', '/images/load', {
    query: { quiet: 'boolean', platform: 'strings' },
    body: bytes,
    reply: progress<Progress>(),
  }),
  imagePrune: endpoint('POST', '/images/prune', { query: { filters: 'filters' }, reply: json<ImagesPruned>() }),
  imageSearch: endpoint('GET', '/images/search', {
    query: { term: 'string', limit: 'integer', filters: 'filters' },
    reply: json<readonly unknown[]>(),
    headers: registryAuth,
  }),
  imagesGet: endpoint('GET', '/images/get', { query: { names: 'strings', platform: 'strings' }, reply: archive }),
  imageGet: endpoint('GET', '/images/{name*}/get', { query: { platform: 'strings' }, reply: archive }),
  imageInspect: endpoint('GET', '/images/{name*}/json', {
    query: { platform: 'string', manifests: 'boolean' },
    reply: json<ImageInspect>(),
  }),
  imageHistory: endpoint('GET', '/images/{name*}/history', {
    query: { platform: 'string' },
    reply: json<readonly ImageHistory[]>(),
  }),
  imagePush: endpoint('POST', '/images/{name*}/push', {
    query: { tag: 'string', platform: 'string' },
    reply: progress<Progress>(),
    headers: registryAuth,
  }),
  imageTag: endpoint('POST', '/images/{name*}/tag', {
    query: { repo: 'string', tag: 'string' },
    reply: empty,
    status: 201,
  }),
  imageRemove: endpoint('DELETE', '/images/{name*}', {
    query: { force: 'boolean', noprune: 'boolean', platforms: 'strings' },
    reply: json<readonly ImageDeleted[]>(),
  }),
  imageBuild: endpoint('POST', '/build', {
    query: {
      t: 'strings',
      dockerfile: 'string',
      buildargs: 'string',
      labels: 'string',
      target: 'string',
      nocache: 'boolean',
      pull: 'boolean',
      q: 'boolean',
      rm: 'boolean',
      forcerm: 'boolean',
      remote: 'string',
      networkmode: 'string',
      extrahosts: 'strings',
      memory: 'integer',
      memswap: 'integer',
      cpushares: 'integer',
      cpuperiod: 'integer',
      cpuquota: 'integer',
      cpusetcpus: 'string',
      cpusetmems: 'string',
      cgroupparent: 'string',
      squash: 'boolean',
      shmsize: 'integer',
      ulimits: 'string',
      cachefrom: 'string',
      securityopt: 'strings',
      platform: 'string',
      version: 'string',
      session: 'string',
      buildid: 'string',
    },
    body: optionalBytes,
    reply: progress<BuildLine>(),
    headers: { registryConfig: 'X-Registry-Config' },
  }),
  /** The `buildid` of a build that runs. */
  buildCancel: endpoint('POST', '/build/cancel', { query: { id: 'string' }, reply: empty, status: 200 }),
  buildPrune: endpoint('POST', '/build/prune', {
    query: {
      filters: 'filters',
      all: 'boolean',
      'keep-storage': 'integer',
      'reserved-space': 'integer',
      'max-used-space': 'integer',
      'min-free-space': 'integer',
    },
    reply: json<BuildPruned>(),
  }),
  distributionInspect: endpoint('GET', '/distribution/{name*}/json', {
    reply: json<DistributionInspect>(),
    headers: registryAuth,
  }),
})
