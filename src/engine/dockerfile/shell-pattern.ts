/** The patterns of `${X#…}`, `${X%…}` and `${X/…}`: `*`, `?`, and a backslash before them; no classes. */
import { invalid } from './source-failure.ts'

/** Takes the shortest (or longest) beginning away that matches. @throws Failure `invalid`. */
export function withoutPrefix(value: string, pattern: string, longest: boolean): string {
  const match = new RegExp(`^${expressionOf(pattern, longest)}`, 'u').exec(value)
  return match ? value.slice(match[0].length) : value
}

/** The same at the end: read backwards, as an expression finds the shortest only from the left. */
export function withoutSuffix(value: string, pattern: string, longest: boolean): string {
  return reversed(withoutPrefix(reversed(value), reversedPattern(pattern), longest))
}

/** @throws Failure `invalid`. */
export function replaced(value: string, pattern: string, replacement: string, all: boolean): string {
  const expression = new RegExp(expressionOf(pattern, true), 'gu')
  let out = ''
  let at = 0
  let last: number | undefined
  for (const match of value.matchAll(expression)) {
    // nothing, right behind a match, is no match of its own
    if (match[0] === '' && match.index === last) continue
    out += value.slice(at, match.index) + (all ? filledIn(replacement, match[0]) : replacement)
    at = last = match.index + match[0].length
    if (!all) break
  }
  return out + value.slice(at)
}

/** Go's templates: "$$", "$0" and "${0}" the match, any other name nothing. */
function filledIn(template: string, match: string): string {
  return template.replace(/\$(?:(\$)|(\w+)|\{(\w+)\})/g, (_, dollar?: string, bare?: string, braced?: string) =>
    dollar ? '$' : (bare ?? braced) === '0' ? match : '',
  )
}

function expressionOf(pattern: string, longest: boolean): string {
  let out = ''
  for (const [token, escapedChar] of pattern.matchAll(/\\([\s\S]?)|[\s\S]/gu)) {
    if (token === '*') out += longest ? '[^\\n]*' : '[^\\n]*?'
    else if (token === '?') out += '[^\\n]'
    else if (escapedChar === undefined) out += literal(token)
    // "}" and "/" had to be escaped for the substitution's own sake
    else if (/^[}/*?\\]$/.test(escapedChar)) out += literal(escapedChar)
    else throw invalid(`invalid pattern (${pattern}) in substitution: invalid escape '\\${escapedChar || '\uFFFD'}'`)
  }
  return out
}

const literal = (char: string): string => (/[$()*+.?[\\\]^{|}/]/.test(char) ? `\\${char}` : char)

const reversed = (text: string): string => [...text].reverse().join('')

const reversedPattern = (pattern: string): string => (pattern.match(/\\[\s\S]|[\s\S]/gu) ?? []).reverse().join('')
