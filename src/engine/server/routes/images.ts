/** Endpoints of images: the store's verbs, in Docker's shapes. */
import { Readable } from 'node:stream'
import type { Handlers } from '../../../api/endpoint.ts'
import { booleanFilter, checkFilters, type Filters, matchesLabels } from '../../../api/filters.ts'
import { type ImageDeleted, imageEndpoints } from '../../../api/images.ts'
import { Failure, isFailure } from '../../../lib/failure.ts'
import type { Containers } from '../../containers/containers.ts'
import type { RegistryAuth } from '../../images/auth.ts'
import type { Image } from '../../images/image.ts'
import type { Images } from '../../images/images.ts'
import { imageInspect, imageSummary } from '../image-shapes.ts'
import { notYet } from '../not-yet.ts'
import { progressStream } from '../progress-stream.ts'

export interface ImageBackend {
  readonly images: Images
  readonly containers: Pick<Containers, 'usersOfImage'>
  /** X-Registry-Auth to credentials. */
  readonly decodeRegistryAuth: (header: string | undefined) => RegistryAuth | undefined
}

export function imageRoutes(backend: ImageBackend): Handlers<typeof imageEndpoints> {
  const { images, containers, decodeRegistryAuth } = backend
  const usedBy = (id: string) => containers.usersOfImage(id)
  return {
    imageList: ({ query }) => {
      const filters = query.filters ?? {}
      checkFilters(filters, ['before', 'dangling', 'label', 'reference', 'since', 'until'])
      return listImages(images, filters).map(image => imageSummary(image, usedBy(image.id).length))
    },
    imageInspect: ({ params }) => {
      const image = images.get(params.name)
      return imageInspect(image, images.layers(image))
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
      return progressStream(async onProgress => {
        await images.pull(reference, { auth, platform: query.platform || undefined, signal, onProgress })
      })
    },
    imageLoad: ({ query, body }, { signal }) =>
      progressStream(async onProgress => {
        await images.load(Readable.from(body, { objectMode: false }), {
          signal,
          onProgress: line => {
            if (!query.quiet || line.stream !== undefined) onProgress(line)
          },
        })
      }),
    imageTag: async ({ params, query }) => {
      await images.tag(params.name, query.repo ?? '', query.tag)
    },
    imageRemove: ({ params, query }) =>
      images.remove(params.name, { force: query.force ?? false, noprune: query.noprune ?? false, usedBy }),
    imagePrune: async ({ query }) => {
      const filters = query.filters ?? {}
      checkFilters(filters, ['dangling', 'label', 'label!', 'until'])
      return pruneImages(images, usedBy, filters)
    },
    imageHistory: notYet(imageEndpoints.imageHistory),
    imageSearch: notYet(imageEndpoints.imageSearch),
    imagesGet: notYet(imageEndpoints.imagesGet),
    imageGet: notYet(imageEndpoints.imageGet),
    imagePush: notYet(imageEndpoints.imagePush),
    imageBuild: notYet(imageEndpoints.imageBuild),
    buildPrune: notYet(imageEndpoints.buildPrune),
    distributionInspect: notYet(imageEndpoints.distributionInspect),
  }
}

/** "busybox", "1.36" → busybox:1.36; a digest is joined by @; a name that has its tag keeps it. */
function withTag(name: string, tag: string | undefined): string {
  if (!tag) return name
  return name + (tag.includes(':') ? '@' : ':') + tag
}

function listImages(images: Images, filters: Filters): readonly Image[] {
  const dangling = booleanFilter(filters, 'dangling')
  const after = Math.max(-Infinity, ...(filters['since'] ?? []).map(ref => images.get(ref).created.getTime()))
  const before = Math.min(
    Infinity,
    ...(filters['before'] ?? []).map(ref => images.get(ref).created.getTime()),
    ...(filters['until'] ?? []).map(pruneTime),
  )
  const patterns = filters['reference']?.map(globToRegExp)
  return images.list().filter(image => {
    const created = image.created.getTime()
    return (
      (dangling === undefined || (image.tags.length === 0) === dangling) &&
      created > after &&
      created < before &&
      matchesLabels(filters['label'], image.config.Labels) &&
      (patterns === undefined || patterns.some(pattern => image.tags.some(tag => matchesReference(pattern, tag))))
    )
  })
}

/** A pattern matches a name with its tag or without. */
function matchesReference(pattern: RegExp, tag: string): boolean {
  return pattern.test(tag) || pattern.test(tag.replace(/:[^:/]+$/, ''))
}

/** Go's path.Match without classes: `*` and `?` do not cross a slash. */
function globToRegExp(glob: string): RegExp {
  const source = glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*+/g, '[^/]*')
    .replace(/\?/g, '[^/]')
  return new RegExp(`^${source}$`)
}

/** "until" of a prune: a unix time in seconds, an RFC 3339 date, or a duration back from now ("24h"). */
export function pruneTime(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000
  const hours = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text)
  if (hours && text !== '')
    return Date.now() - 1000 * (Number(hours[1] ?? 0) * 3600 + Number(hours[2] ?? 0) * 60 + Number(hours[3] ?? 0))
  const date = Date.parse(text)
  if (Number.isNaN(date)) throw new Failure('invalid', `invalid filter 'until=${text}'`)
  return date
}

async function pruneImages(
  images: Images,
  usedBy: (id: string) => readonly { readonly id: string; readonly name: string; readonly running: boolean }[],
  filters: Filters,
) {
  const danglingOnly = booleanFilter(filters, 'dangling') ?? true
  const before = Math.min(Infinity, ...(filters['until'] ?? []).map(pruneTime))
  const removed: ImageDeleted[] = []
  let reclaimed = 0
  for (const image of images.list()) {
    if (danglingOnly && image.tags.length > 0) continue
    if (image.created.getTime() >= before || usedBy(image.id).length > 0) continue
    const labels = image.config.Labels
    if (!matchesLabels(filters['label'], labels)) continue
    if ((filters['label!'] ?? []).some(label => matchesLabels([label], labels))) continue
    try {
      removed.push(...(await images.remove(image.id, { force: true, usedBy })))
      reclaimed += image.size
    } catch (error) {
      // taken into use or removed by someone else in the meantime
      if (!isFailure(error, 'conflict') && !isFailure(error, 'not-found')) throw error
    }
  }
  return { ImagesDeleted: removed.length > 0 ? removed : null, SpaceReclaimed: reclaimed }
}
