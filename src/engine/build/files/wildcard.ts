/** Wildcards in the sources of COPY and ADD, as Go's filepath.Match has them: `*` and `?` stay in one name, `[a-c]`, `[^x]`, `\`. Pure. */
import { Failure } from '../../../lib/failure.ts'

/** Whether it is to be matched, not looked up; a character after `\` is itself. */
export function hasWildcard(path: string): boolean {
  return /^(?:[^\\]|\\.)*?[*?[]/s.test(path)
}

/** "a/b*\/c" → its part without wildcards and the rest, each of them names joined by "/". */
export function splitWildcard(path: string): readonly [plain: string, pattern: string] {
  const parts = path.split('/').filter(part => part !== '')
  const first = parts.findIndex(hasWildcard)
  if (first < 0) return [parts.join('/'), '']
  return [parts.slice(0, first).join('/'), parts.slice(first).join('/')]
}

/** @throws Failure `invalid` for a pattern that says nothing: "[" without an end. */
export function wildcardMatcher(pattern: string): RegExp {
  let source = ''
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at]!
    if (character === '*') source += '[^/]*'
    else if (character === '?') source += '[^/]'
    else if (character === '[') {
      const [set, end] = classAt(pattern, at)
      source += set
      at = end
    } else if (character === '\\') {
      if (++at === pattern.length) throw bad(pattern)
      source += literal(String.fromCodePoint(pattern.codePointAt(at)!))
    } else source += literal(character)
  }
  return new RegExp(`^${source}$`, 'us')
}

/** `[^a-z\]]`: the set, and where it ends. A "/" is never in one. */
function classAt(pattern: string, start: number): readonly [set: string, end: number] {
  let at = start + 1
  const negated = pattern[at] === '^'
  if (negated) at++
  let set = ''
  for (let count = 0; pattern[at] !== ']' || count === 0; count++) {
    const [low, afterLow] = member(pattern, at)
    at = afterLow
    let high = low
    if (pattern[at] === '-') [high, at] = member(pattern, at + 1)
    if (low <= high) set += `${inSet(low)}-${inSet(high)}`
    if (at >= pattern.length) throw bad(pattern)
  }
  // an empty set matches nothing, as "[b-a]" does in Go
  const chosen = negated ? `[^/${set}]` : set === '' ? '[]' : `(?!/)[${set}]`
  return [chosen, at]
}

function member(pattern: string, start: number): readonly [character: number, next: number] {
  let at = start
  if (pattern[at] === '-' || pattern[at] === ']' || at >= pattern.length) throw bad(pattern)
  if (pattern[at] === '\\' && ++at >= pattern.length) throw bad(pattern)
  const code = pattern.codePointAt(at)!
  return [code, at + (code > 0xffff ? 2 : 1)]
}

const inSet = (code: number): string => `\\u{${code.toString(16)}}`

/** Surrogates stand for themselves: a pair comes as its two halves. */
function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}

function bad(pattern: string): Failure {
  return new Failure('invalid', `Cannot match ${JSON.stringify(pattern)}: syntax error in pattern`)
}
