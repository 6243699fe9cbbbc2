/**
 * Patterns of .dockerignore, as they stand in the file, travel between client and builder, and follow `COPY --exclude=`: the
 * language of Go's patternmatcher (`**`, `!`, path.Match for the rest). Pure.
 */
import { posix } from 'node:path'
import { Failure } from '../lib/failure.ts'
import { matchesWhole, type Token } from './linear-match.ts'

export interface PathMatcher {
  /** Whether a walk that comes by all folders above `path` ("a/b", without a slash at its ends) finds it matched. */
  matches(path: string): boolean
  /** The same without the walk: a folder above that matches is as good as the path itself. */
  matchesOnItsOwn(path: string): boolean
  /** False when nothing below a matched folder can come back by a `!`, so that a walk need not look. */
  mayComeBackBelow(folder: string): boolean
}

/** The patterns of a .dockerignore: comments and blank lines gone, paths made relative to the context. */
export function parseIgnoreFile(text: string): readonly string[] {
  const lines = text.replace(/^\uFEFF/, '').split('\n')
  return lines.flatMap(line => {
    if (line.startsWith('#')) return []
    const pattern = trim(line)
    if (pattern === '') return []
    const except = pattern.startsWith('!')
    const body = except ? trim(pattern.slice(1)) : pattern
    const path = body === '' ? '' : clean(body)
    return [(except ? '!' : '') + (path.length > 1 && path.startsWith('/') ? path.slice(1) : path)]
  })
}

/** @throws Failure `invalid` for a pattern that cannot be read, in the words of Go's matcher. */
export function pathMatcher(patterns: readonly string[]): PathMatcher {
  const rules = patterns.map(trim).filter(Boolean).map(parseRule)
  const exceptions = rules.filter(rule => rule.except)
  const onlyPrefixes = exceptions.every(rule => !/[*[\]?^\\]/.test(withoutEnd(rule.pattern)))
  // what a folder's patterns came to, for the walk that asks for its entries next
  const folders = new Map<string, readonly boolean[]>()

  function resultsOf(path: string): { readonly matched: boolean; readonly each: readonly boolean[] } {
    const slash = path.lastIndexOf('/')
    const above = slash < 0 ? undefined : resultsOfFolder(path.slice(0, slash))
    let matched = false
    const each = rules.map((rule, i) => {
      if (above?.[i] !== true) {
        // a rule that would change nothing is not asked, and counts as one that did not match for what is below
        if (rule.except !== matched || !rule.test(path)) return false
      }
      matched = !rule.except
      return true
    })
    return { matched, each }
  }

  function resultsOfFolder(path: string): readonly boolean[] {
    const known = folders.get(path)
    if (known) return known
    const { each } = resultsOf(path)
    if (folders.size >= 4096) folders.clear()
    folders.set(path, each)
    return each
  }

  return {
    matches: path => rules.length > 0 && resultsOf(path).matched,
    matchesOnItsOwn: path => {
      const names = path.split('/')
      const paths = names.map((_, i) => names.slice(0, i + 1).join('/'))
      return rules.reduce(
        (matched, rule) => (rule.except === matched && paths.some(each => rule.test(each)) ? !rule.except : matched),
        false,
      )
    },
    mayComeBackBelow: folder =>
      exceptions.length > 0 &&
      (!onlyPrefixes || exceptions.some(rule => `${withoutEnd(rule.pattern)}/`.startsWith(`${folder}/`))),
  }
}

interface Rule {
  /** Without "!". */
  readonly pattern: string
  readonly except: boolean
  readonly test: (path: string) => boolean
}

function parseRule(text: string): Rule {
  const whole = clean(text)
  const except = whole.startsWith('!')
  if (whole === '!') throw new Failure('invalid', 'illegal exclusion pattern: "!"')
  const pattern = except ? whole.slice(1) : whole
  const source = expressionOf(pattern)
  // an expression is quick as long as it has few ways to go, and is not led far
  const tokens = tokensOf(source)
  const ways = tokens.filter(({ kind }) => kind === 'many').length
  const expression = new RegExp(`^${source}$`, 'su')
  return {
    pattern,
    except,
    test: path => (ways > 2 || path.length > 256 ? matchesWhole(tokens, path) : expression.test(path)),
  }
}

function tokensOf(expression: string): readonly Token[] {
  const any = () => true
  const parts = expression.replace(/^\^+/, '').matchAll(/\(\.\*\/\)\?|\.\*|(\[\^?(?:\\.|[^\]\\])*\]|\\.|.)(\*)?/gsu)
  return [...parts].flatMap(([all, single, star]): readonly Token[] => {
    if (all === '.*') return [{ kind: 'many', test: any }]
    if (single === undefined) {
      return [
        { kind: 'optional', count: 2 },
        { kind: 'many', test: any },
        { kind: 'one', test: char => char === '/' },
      ]
    }
    // an anchor in the middle lets nothing through
    const one = single === '^' ? /(?!)/ : new RegExp(`^${single}$`, 'su')
    return [{ kind: star ? 'many' : 'one', test: char => one.test(char) }]
  })
}

/**
 * The pattern as an expression of Go's, sign by sign: brackets are handed through, so that a star inside a class becomes what it is
 * outside of one, and `[*]` matches no star.
 */
function expressionOf(pattern: string): string {
  checkSyntax(pattern)
  // compared as text where it can be, which tells for one sign
  const isText = isPlain(pattern.replace(/^\*\*|\*\*$/, ''))
  let out = ''
  let rest = pattern
  while (rest !== '') {
    const first = rest === pattern
    const [token] = /^(?:\*\*\/?|\\?.)/su.exec(rest)!
    rest = rest.slice(token.length)
    if (token === '*') out += '[^/]*'
    else if (token === '?') out += '[^/]'
    else if (token === '[' || token === ']') out += token
    // "**x" at the start is any path that ends so; "a/**b" goes by whole folders
    else if (token.startsWith('**')) {
      if (rest === '' || (first && token === '**' && isPlain(rest))) out += '.*'
      // any folders, and any folders again
      else if (!out.endsWith(folders)) out += folders
    } else out += token.startsWith('\\') || (token === '^' && !isText) ? token : literal(token)
  }
  return asOurs(out)
}

const folders = '(.*/)?'

const isPlain = (text: string): boolean => !/[*?[\]\\]/.test(text)

/** By path.Match's rules of classes and escapes. @throws Failure `invalid`. */
function checkSyntax(pattern: string): void {
  const range = '(?:\\\\.|[^\\\\\\]-])(?:-(?:\\\\.|[^\\\\\\]-]))?'
  if (!new RegExp(`^(?:\\[\\^?(?:${range})+\\]|\\\\.|[^[\\\\])*$`, 'su').test(pattern)) throw badPattern()
}

/** An expression of Go's, in which an open bracket inside a class and a closing one outside are characters. */
function asOurs(expression: string): string {
  const text = expression.replace(/\\.|\[(\^?)(\]?(?:\\.|[^\]\\])*)\]|\]/gsu, (all, not?: string, inside?: string) =>
    all === ']'
      ? '\\]'
      : inside === undefined
        ? literal(all.slice(1))
        : `[${not}${inside.replace(/\\?(.)/gsu, (each, char: string) => (each === '-' ? each : literalInside(char)))}]`,
  )
  try {
    new RegExp(text, 'u')
  } catch (error) {
    // a range that goes down
    throw badPattern(error)
  }
  return text
}

/** Of the words that Go has for it. */
function badPattern(cause?: unknown): Failure {
  return new Failure('invalid', 'syntax error in pattern', { cause })
}

const literal = (text: string): string => text.replace(/[$()*+./?[\\\]^{|}]/g, '\\$&')
const literalInside = (char: string): string => (char === '-' ? '\\-' : literal(char))

const withoutEnd = (pattern: string): string => pattern.replace(/\/\*\*$/, '').replace(/\/\*$/, '')

/** As Go's path.Clean: no slash at the end, "." for nothing. */
function clean(path: string): string {
  const normal = posix.normalize(path)
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal
}

/** White space of Unicode, without the byte order mark that JavaScript counts among it. */
function trim(text: string): string {
  return text.replace(/^[^\S\uFEFF]+|[^\S\uFEFF]+$/g, '')
}
