/** Images and ?filters= to those that are shown, each with the names that are: pure. */
import { booleanFilter, checkFilters, type Filters, matchesLabels, timeFilter } from '../../api/filters.ts'
import { Failure } from '../../lib/failure.ts'
import type { Image } from '../images/image.ts'

export interface Shown {
  readonly image: Image
  readonly tags: readonly string[]
  readonly digests: readonly string[]
}

export interface ListOptions {
  /** Those without a name that others were made from, too. */
  readonly all: boolean
  readonly filters: Filters
  /** By name or id. @throws Failure `not-found`. */
  readonly get: (reference: string) => Image
}

/** @throws Failure `invalid` for an unknown filter or a malformed value. */
export function listImages(images: readonly Image[], { all, filters, get }: ListOptions): readonly Shown[] {
  checkFilters(filters, ['before', 'dangling', 'label', 'reference', 'since', 'until'])
  const dangling = booleanFilter(filters, 'dangling')
  const created = (references: readonly string[] = []) => references.map(ref => get(ref).created.getTime())
  const after = Math.max(-Infinity, ...created(filters['since']))
  const before = Math.min(
    Infinity,
    ...created(filters['before']),
    ...(filters['until'] ?? []).map(text => timeFilter(text)),
  )
  const patterns = filters['reference']?.map(pathPattern)
  const parents = new Set(images.map(image => image.parent))
  return images.flatMap(image => {
    const time = image.created.getTime()
    if (time <= after || time >= before || !matchesLabels(filters['label'], image.config.Labels)) return []
    const matching = (names: readonly string[]) =>
      patterns === undefined ? names : names.filter(name => patterns.some(pattern => matchesReference(pattern, name)))
    const [tags, digests] = [matching(image.tags), matching(image.digests)]
    if (tags.length + digests.length === 0) {
      if (dangling === false || patterns !== undefined || (!all && parents.has(image.id))) return []
    } else if (dangling === true && tags.length > 0) return []
    return [{ image, tags, digests }]
  })
}

/** A pattern matches a name with its tag or digest, or without. */
function matchesReference(pattern: RegExp, name: string): boolean {
  return pattern.test(name) || pattern.test(name.replace(/@.*$|:[^:/]+$/, ''))
}

/** Go's path.Match: `*` and `?` do not cross a slash, classes in brackets, a backslash takes what follows as it is. */
export function pathPattern(glob: string): RegExp {
  const token = /\\([\s\S])|(\*+)|(\?)|\[(\^?)((?:\\[\s\S]|[^\\\]])+)\]|([^[\]\\])|(\])/g
  let source = ''
  let end = 0
  for (const [whole, escaped, star, any, negated, members, plain, bracket] of glob.matchAll(token)) {
    end += whole.length
    if (star) source += '[^/]*'
    else if (any) source += '[^/]'
    else if (members !== undefined) source += `[${negated}${members.replace(/[[\]^]/g, '\\$&')}]`
    else source += RegExp.escape(escaped ?? plain ?? bracket ?? '')
  }
  // Docker answers 500 as well
  if (end !== glob.length) throw new Failure('internal', 'syntax error in pattern')
  return new RegExp(`^${source}$`, 's')
}
