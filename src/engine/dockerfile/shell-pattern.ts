/** The patterns of `${X#…}`, `${X%…}` and `${X/…}`: `*`, `?`, and a backslash before them; no classes. */
import { matchingLengths, type Token } from '../../api/linear-match.ts'
import { invalid } from './source-failure.ts'

/** Takes the shortest (or longest) beginning away that matches. @throws Failure `invalid`. */
export function withoutPrefix(value: string, pattern: string, longest: boolean): string {
  const chars = [...value]
  return chars.slice(matchLength(tokensOf(pattern), chars, longest)).join('')
}

/** The same at the end: both read backwards. */
export function withoutSuffix(value: string, pattern: string, longest: boolean): string {
  const chars = [...value].reverse()
  const length = matchLength(tokensOf(reversed(pattern)), chars, longest)
  return chars.slice(length).reverse().join('')
}

/** An escape stays before what it escapes. */
const reversed = (pattern: string): string => (pattern.match(/\\[\s\S]|[\s\S]/gu) ?? []).reverse().join('')

/** Characters of a value that a pattern is looked for all over: each may begin a match. */
const longestSearched = 4096

/** @throws Failure `invalid`. */
export function replaced(value: string, pattern: string, replacement: string, all: boolean): string {
  const tokens = tokensOf(pattern)
  const chars = [...value]
  if (chars.length > longestSearched) {
    throw invalid(`value of ${chars.length} characters is too long for a substitution of (${pattern})`)
  }
  let out = ''
  let last: number | undefined
  for (let at = 0; at <= chars.length; ) {
    const length = matchLength(tokens, chars, true, at)
    // nothing, right behind a match, is no match of its own
    if (length === undefined || (length === 0 && at === last)) {
      out += chars[at++] ?? ''
      continue
    }
    const match = chars.slice(at, at + length).join('')
    out += all ? filledIn(replacement, match) : replacement
    last = at + length
    if (!all) return out + chars.slice(last).join('')
    if (length === 0) out += chars[at++] ?? ''
    else at = last
  }
  return out
}

/** Go's templates: "$$", "$0" and "${0}" the match, any other name nothing. */
function filledIn(template: string, match: string): string {
  return template.replace(/\$(?:(\$)|(\w+)|\{(\w+)\})/g, (_, dollar?: string, bare?: string, braced?: string) =>
    dollar ? '$' : (bare ?? braced) === '0' ? match : '',
  )
}

function matchLength(tokens: readonly Token[], chars: readonly string[], longest: boolean, at = 0): number | undefined {
  let found: number | undefined
  for (const length of matchingLengths(tokens, chars, at)) {
    found = length
    if (!longest) break
  }
  return found
}

const any = (char: string): boolean => char !== '\n'

function tokensOf(pattern: string): Token[] {
  return [...pattern.matchAll(/\\([\s\S]?)|[\s\S]/gu)].map(([token, escapedChar]) => {
    if (token === '*') return { kind: 'many', test: any }
    if (token === '?') return { kind: 'one', test: any }
    // "}" and "/" had to be escaped for the substitution's own sake
    const char = escapedChar ?? token
    if (escapedChar !== undefined && !/^[}/*?\\]$/.test(escapedChar)) {
      throw invalid(`invalid pattern (${pattern}) in substitution: invalid escape '\\${escapedChar || '\uFFFD'}'`)
    }
    return { kind: 'one', test: each => each === char }
  })
}
