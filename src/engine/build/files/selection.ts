/** Which paths below a copied folder come along: `--parents` names those that do, `--exclude` those that do not. Pure. */
import { type PathMatcher, pathMatcher } from '../../../api/ignore-patterns.ts'
import { hasWildcard } from './wildcard.ts'

export interface Selection {
  /** A path below the folder ("a/b"), asked for after those of the folders above it. */
  includes(path: string): boolean
  /** Whether there can be something to take in a folder that is not included itself. */
  mayHoldMore(folder: string): boolean
  /** Whether it takes everything, so that a folder that exists gets the look of its source. */
  readonly isWhole: boolean
}

/** `include` undefined: all that is not excluded. */
export function selection(include: string | undefined, exclude: readonly string[]): Selection {
  const wanted = include === undefined ? undefined : pathMatcher([include])
  const unwanted: PathMatcher | undefined = exclude.length === 0 ? undefined : pathMatcher(exclude)
  const way = include === undefined ? '' : plainStart(include)
  return {
    includes: path => {
      // both are asked: a matcher remembers what it said of the folders above
      const in_ = wanted?.matches(path) !== false
      const out = unwanted?.matches(path) === true
      return in_ && !out
    },
    mayHoldMore: folder => {
      if (unwanted?.matches(folder) === true && !unwanted.mayComeBackBelow(folder)) return false
      return (
        include === undefined || way === '' || `${way}/`.startsWith(`${folder}/`) || `${folder}/`.startsWith(`${way}/`)
      )
    },
    isWhole: include === undefined,
  }
}

/** The folders that a pattern goes through before its first wildcard. */
function plainStart(pattern: string): string {
  const parts = pattern.split('/')
  const first = parts.findIndex(part => hasWildcard(part) || part.includes('\\'))
  return (first < 0 ? parts : parts.slice(0, first)).join('/')
}
