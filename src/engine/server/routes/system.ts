/** Endpoints of the engine itself. */
import type { Handlers } from '../../../api/endpoint.ts'
import type { BuildCacheItem } from '../../../api/images.ts'
import type { Info, systemEndpoints, Version } from '../../../api/system.ts'
import { Failure } from '../../../lib/failure.ts'
import type { Events } from '../../base/events.ts'
import type { CacheItem } from '../../build/cache-prune.ts'
import type { CacheUsage } from '../../build/cache-usage.ts'
import type { BuildKit } from '../../buildkit/buildkit.ts'
import type { Containers } from '../../containers/containers.ts'
import type { Images } from '../../images/images.ts'
import type { Volumes } from '../../volumes/volumes.ts'
import { eventStream } from '../event-stream.ts'
import { imageSummary } from '../image-shapes.ts'
import { olderInfo } from '../older.ts'
import { volumeInspect } from './volumes.ts'

export interface SystemBackend {
  readonly events: Events
  readonly images: Pick<Images, 'list' | 'usage' | 'login'>
  readonly volumes: Pick<Volumes, 'list' | 'size'>
  readonly builder: { readonly usage: Pick<CacheUsage, 'list'> }
  readonly containers: Pick<Containers, 'list' | 'usersOfImage' | 'usersOfVolume'>
  info(): Promise<Info>
  version(): Version
  buildKit(): Promise<Pick<BuildKit, 'grpc' | 'session'>>
}

export function systemRoutes(engine: SystemBackend): Handlers<typeof systemEndpoints> {
  return {
    pingHead: () => '',
    ping: () => 'OK',
    version: () => engine.version(),
    info: async (_, { version }) => olderInfo(await engine.info(), version),
    events: ({ query }, { signal }) => eventStream(engine.events, { ...query, signal }),
    diskUsage: ({ query }) => diskUsage(engine, query.type),
    auth: ({ body }, { signal }) => engine.images.login(body, signal),
    grpc: async () => (await engine.buildKit()).grpc(),
    session: async ({ headers }) =>
      (await engine.buildKit()).session({
        id: headers.id ?? '',
        sharedKey: headers.sharedKey ?? '',
        methods: (headers.methods ?? '').split(/,\s*/).filter(method => method !== ''),
      }),
  }
}

/** What `df` counts. */
const countedTypes = ['container', 'image', 'volume', 'build-cache']

async function diskUsage(engine: SystemBackend, types: readonly string[] = []) {
  for (const type of types)
    if (!countedTypes.includes(type)) throw new Failure('invalid', `unknown object type: ${type}`)
  const wanted = (type: string) => types.length === 0 || types.includes(type)
  const images = engine.images.list()
  const usage = await engine.images.usage()
  return {
    LayersSize: wanted('image') ? usage.layers : 0,
    Images: wanted('image')
      ? images.map(image =>
          imageSummary(image, {
            containers: engine.containers.usersOfImage(image.id).length,
            shared: usage.shared.get(image.id),
          }),
        )
      : null,
    Containers: wanted('container') ? await engine.containers.list({ all: true, size: true }) : null,
    Volumes: wanted('volume')
      ? await Promise.all(
          engine.volumes.list().map(async volume => ({
            ...volumeInspect(volume),
            UsageData: {
              RefCount: engine.containers.usersOfVolume(volume.name).length,
              Size: await engine.volumes.size(volume.name),
            },
          })),
        )
      : null,
    BuildCache: wanted('build-cache') ? (await engine.builder.usage.list()).map(cacheItem) : null,
  }
}

function cacheItem(item: CacheItem): BuildCacheItem {
  return {
    ID: item.id.slice(0, 25),
    ...(item.parents.length > 0 && { Parents: item.parents }),
    Type: item.type,
    Description: item.description,
    InUse: item.inUse,
    Shared: item.shared,
    Size: item.size,
    CreatedAt: new Date(item.created).toISOString(),
    LastUsedAt: new Date(item.lastUsed).toISOString(),
    UsageCount: item.uses,
  }
}
