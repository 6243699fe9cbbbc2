/** Endpoints of images: the store's verbs, in Docker's shapes. */
import { Readable } from 'node:stream'
import type { Handlers } from '../../../api/endpoint.ts'
import { booleanFilter, checkFilters, untilFilter } from '../../../api/filters.ts'
import type { imageEndpoints } from '../../../api/images.ts'
import type { BuildLine } from '../../../api/json-lines.ts'
import { Failure, messageOf } from '../../../lib/failure.ts'
import type { StorageDriver } from '../../base/storage-driver.ts'
import type { CacheUsage } from '../../build/cache-usage.ts'
import type { ClassicBuild } from '../../build/classic/classic.ts'
import type { Containers } from '../../containers/containers.ts'
import type { RegistryAuth } from '../../images/auth.ts'
import type { Images } from '../../images/images.ts'
import { listImages } from '../image-list.ts'
import { checkPlatform, isFor, parsePlatformJson, platformText } from '../image-platform.ts'
import { imageInspect, imageSummary } from '../image-shapes.ts'
import { NamedBuilds } from '../named-builds.ts'
import { olderImage, olderImageSummary } from '../older.ts'
import { progressStream } from '../progress-stream.ts'

export interface ImageBackend {
  readonly images: Images
  readonly storage: StorageDriver
  readonly containers: Pick<Containers, 'usersOfImage'>
  readonly builder: { readonly usage: Pick<CacheUsage, 'list' | 'prune'> }
  readonly buildClassic: (build: ClassicBuild) => Promise<void>
  /** X-Registry-Auth to credentials. */
  readonly decodeRegistryAuth: (header: string | undefined) => RegistryAuth | undefined
}

export function imageRoutes(backend: ImageBackend): Handlers<typeof imageEndpoints> {
  const { images, storage, containers, builder, decodeRegistryAuth } = backend
  const builds = new NamedBuilds()
  const usedBy = (id: string) => containers.usersOfImage(id)
  return {
    imageList: async ({ query }, { version }) => {
      const { filters = {}, all = false } = query
      const shown = listImages(images.list(), { all, filters, get: reference => images.get(reference) })
      const usage = query['shared-size'] ? await images.usage() : undefined
      return shown.map(each => {
        const { id } = each.image
        const more = { containers: usedBy(id).length, shared: usage?.shared.get(id) }
        return olderImageSummary(imageSummary(each.image, { ...each, ...more }), version)
      })
    },
    imageInspect: ({ params, query }, { version }) => {
      const image = images.get(params.name)
      checkPlatform(image, params.name, query.platform)
      return olderImage(imageInspect(image, { layers: images.layers(image), storage }), image, version)
    },
    imageCreate: ({ query, headers, body }, { signal }) => {
      if (query.fromSrc !== undefined && query.fromSrc !== '') {
        if (query.fromSrc !== '-')
          throw new Failure(
            'unsupported',
            `Cannot import from "${query.fromSrc}": only the request's body (-) is implemented yet`,
          )
        return progressStream(async onProgress => {
          await images.importRoot(Readable.from(body, { objectMode: false }), {
            repo: query.repo,
            tag: query.tag,
            message: query.message,
            platform: query.platform || undefined,
            changes: query.changes,
            signal,
            onProgress,
          })
        })
      }
      if (!query.fromImage) throw new Failure('invalid', 'Cannot pull: fromImage is empty')
      const auth = decodeRegistryAuth(headers.registryAuth)
      const reference = withTag(query.fromImage, query.tag)
      const options = { auth, platform: query.platform || undefined, signal }
      return progressStream(async onProgress => {
        if (query.tag) await images.pull(reference, { ...options, onProgress })
        else await images.pullAll(reference, { ...options, onProgress })
      })
    },
    imageLoad: ({ query, body }, { signal }) =>
      progressStream(async onProgress => {
        try {
          await images.load(Readable.from(body, { objectMode: false }), {
            signal,
            onProgress: line => {
              if (!query.quiet || line.stream !== undefined) onProgress(line)
            },
          })
        } catch (error) {
          // never by the status: Docker's clients look for it among the lines
          const message = messageOf(error)
          onProgress({ errorDetail: { message }, error: message })
        }
      }),
    imageTag: async ({ params, query }) => {
      await images.tag(params.name, query.repo ?? '', query.tag)
    },
    imageRemove: ({ params, query }) =>
      images.remove(params.name, { force: query.force ?? false, noprune: query.noprune ?? false, usedBy }),
    imagePrune: async ({ query }) => {
      const { filters = {} } = query
      checkFilters(filters, ['dangling', 'label', 'label!', 'until'])
      const options = {
        dangling: booleanFilter(filters, 'dangling') ?? true,
        until: untilFilter(filters) ?? Infinity,
        label: filters['label'],
        labelNot: filters['label!'],
      }
      const { removed, reclaimed } = await images.prune(options, usedBy)
      return { ImagesDeleted: removed.length > 0 ? removed : null, SpaceReclaimed: reclaimed }
    },
    imageHistory: ({ params, query }) => {
      checkPlatform(images.get(params.name), params.name, query.platform)
      return images.history(params.name)
    },
    imageSearch: async ({ query, headers }, { signal }) => {
      const { limit = 25, term = '', filters = {} } = query
      if (limit < 1 || limit > 100) throw new Failure('invalid', `limit ${limit} is outside the range of [1, 100]`)
      checkFilters(filters, ['is-automated', 'is-official', 'stars'])
      const official = booleanFilter(filters, 'is-official')
      const automated = booleanFilter(filters, 'is-automated')
      const stars = Math.max(0, ...(filters['stars'] ?? []).map(Number))
      if (Number.isNaN(stars)) throw new Failure('invalid', `invalid filter 'stars=${filters['stars']?.join()}'`)
      const auth = decodeRegistryAuth(headers.registryAuth)
      const found = await images.search(term, { limit, auth, signal })
      return found.filter(
        each =>
          (official === undefined || each.is_official === official) &&
          (automated === undefined || each.is_automated === automated) &&
          each.star_count >= stars,
      )
    },
    imagesGet: ({ query }) => saveImages(images, query.names ?? [], query.platform),
    imageGet: ({ params, query }) => saveImages(images, [params.name], query.platform),
    imagePush: ({ params, query, headers }, { signal }) => {
      const auth = decodeRegistryAuth(headers.registryAuth)
      // what is no name is told by the status, all else among the lines
      images.checkName(params.name)
      return progressStream(onProgress => images.push(params.name, query.tag, { auth, signal, onProgress }))
    },
    imageBuild: ({ query, headers, body }, { signal }) =>
      progressStream<BuildLine>(onLine =>
        builds.run(query.buildid, signal, ending =>
          backend.buildClassic({ query, registryConfig: headers.registryConfig, body, onLine, signal: ending }),
        ),
      ),
    buildCancel: async ({ query }) => builds.cancel(query.id),
    buildPrune: async ({ query }) => {
      const { filters = {}, all = false } = query
      const space = {
        most: query['max-used-space'],
        minFree: query['min-free-space'],
        // as clients before 1.48 have it
        reserved: query['reserved-space'] || query['keep-storage'],
      }
      const { deleted, reclaimed } = await builder.usage.prune({ all, filters, space })
      return { CachesDeleted: deleted.length > 0 ? deleted : null, SpaceReclaimed: reclaimed }
    },
    distributionInspect: ({ params, headers }, { signal }) =>
      images.distribution(params.name, { auth: decodeRegistryAuth(headers.registryAuth), signal }),
  }
}

async function saveImages(images: Images, references: readonly string[], platforms: readonly string[] = []) {
  if (platforms.length > 1) throw new Failure('invalid', 'multiple platform parameters not supported')
  const wanted = parsePlatformJson(platforms[0])
  for (const reference of references) {
    const image = images.find(reference)
    if (image !== undefined && wanted !== undefined && !isFor(image, wanted))
      throw new Failure('internal', `no suitable export target found for platform ${platformText(wanted)}`)
  }
  return { content: await images.save(references) }
}

/** "busybox", "1.36" → busybox:1.36; a digest is joined by @; a name that has its tag keeps it. */
function withTag(name: string, tag: string | undefined): string {
  if (!tag) return name
  return name + (tag.includes(':') ? '@' : ':') + tag
}
