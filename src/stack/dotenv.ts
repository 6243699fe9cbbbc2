/** The text of a .env file, env_file or label_file to its variables, by the rules of Compose's own reader. */
import { type Lookup, substitute, TemplateError, type Unset } from './template.ts'

export class DotenvError extends Error {
  readonly line: number
  constructor(message: string, line: number) {
    super(message)
    this.line = line
  }
}

/**
 * Reads `KEY=value`, `KEY: value`, quoted and multi-line values, `export`, comments. A bare `KEY` takes the looked-up value.
 * References in values see `lookup` first, then the keys above them, then `below`. `lines` is told where each key stands,
 * `unset` the line of each reference that finds nothing.
 */
export function parseDotenv(
  text: string,
  lookup: Lookup = () => undefined,
  {
    lines,
    below = () => undefined,
    unset,
  }: { lines?: Map<string, number>; below?: Lookup; unset?: (name: string, line: number) => void } = {},
): Map<string, string> {
  const src = text.replace(/^\uFEFF/, '')
  const variables = new Map<string, string>()
  let at = statementStart(src, 0)
  while (at >= 0) {
    const key = readKey(src, at)
    lines?.set(key.name, lineAt(src, at))
    at = key.end
    if (key.inherited) {
      const value = lookup(key.name)
      if (value !== undefined) variables.set(key.name, value)
    } else {
      const value = readValue(src, at, {
        lookup: name => lookup(name) ?? variables.get(name) ?? below(name),
        unset: name => unset?.(name, lineAt(src, at)),
      })
      variables.set(key.name, value.text)
      at = value.end
    }
    at = statementStart(src, at)
  }
  return variables
}

/** `format: raw`: every line is KEY=value, and value is what stands there. */
export function parseRawEnv(text: string, lookup: Lookup = () => undefined): Map<string, string> {
  const variables = new Map<string, string>()
  for (const [index, rawLine] of text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .entries()) {
    const line = rawLine.replace(/\r$/, '').trimStart()
    if (line === '' || line.startsWith('#')) continue
    const equals = line.indexOf('=')
    const name = equals < 0 ? line : line.slice(0, equals)
    if (name === '') throw new DotenvError('no variable name stands before "="', index + 1)
    if (/[ \t]/.test(name)) throw new DotenvError(`variable "${name}" contains whitespace`, index + 1)
    if (equals >= 0) variables.set(name, line.slice(equals + 1))
    else {
      const value = lookup(name)
      if (value !== undefined) variables.set(name, value)
    }
  }
  return variables
}

function statementStart(src: string, from: number): number {
  let at = from
  for (;;) {
    while (at < src.length && /\s/.test(src[at]!)) at++
    if (at >= src.length) return -1
    if (src[at] !== '#') return at
    at = src.indexOf('\n', at)
    if (at < 0) return -1
  }
}

function readKey(src: string, from: number): { name: string; inherited: boolean; end: number } {
  let at = from
  const exported = /export[ \t\v\f\r\n]+/y
  exported.lastIndex = at
  if (exported.test(src)) at = skipBlanks(src, exported.lastIndex)
  const start = at
  for (; at < src.length; at++) {
    const char = src[at]!
    if (isBlank(char)) continue
    if (char === '=' || char === ':' || char === '\n') {
      const name = src.slice(start, at).trimEnd()
      if (name.includes(' ')) throw new DotenvError(`variable "${name}" contains a space`, lineAt(src, start))
      return { name, inherited: char === '\n', end: skipBlanks(src, at + 1) }
    }
    if (!/[\p{L}\p{N}_.\-[\]]/u.test(char))
      throw new DotenvError(`character "${char}" cannot stand in a variable name`, lineAt(src, at))
  }
  // The reference takes a name that the end of the file cuts off for the value of a variable without name.
  return { name: '', inherited: false, end: start }
}

interface References {
  readonly lookup: Lookup
  readonly unset: Unset
}

function readValue(src: string, from: number, references: References): { text: string; end: number } {
  const quote = src[from]
  const line = lineAt(src, from)
  if (quote !== '"' && quote !== "'") {
    let end = src.indexOf('\n', from)
    if (end < 0) end = src.length
    let text = src.slice(from, end)
    const comment = text.indexOf(' #')
    if (comment >= 0) text = text.slice(0, comment)
    return { text: expand(text.trimEnd(), { ...references, line }), end: Math.min(end + 1, src.length) }
  }
  let text = ''
  for (let at = from + 1; at < src.length; at++) {
    const char = src[at]!
    if (char === '\\' && at + 1 < src.length) {
      const next = src[at + 1]!
      text += next === quote ? quote : char + next
      at++
    } else if (char === quote) {
      return { text: quote === '"' ? expand(expandEscapes(text), { ...references, line }) : text, end: at + 1 }
    } else text += char
  }
  throw new DotenvError(`quoted value ${src.slice(from).split('\n')[0]} has no closing quote`, line)
}

/** Shell-like escapes of a double-quoted value; `\$` becomes the `$$` of the expansion that follows. */
function expandEscapes(text: string): string {
  const simple: Record<string, string> = {
    a: '\x07',
    b: '\b',
    f: '\f',
    n: '\n',
    r: '\r',
    t: '\t',
    v: '\v',
    '"': '"',
    '\\': '\\',
  }
  return text.replace(/\\([abcfnrtv$"\\]|0\d{0,3})/g, (match, code: string) => {
    if (code === '$') return '$$'
    if (code.startsWith('0'))
      return /^0[0-3][0-7]{2}$/.test(code) ? String.fromCharCode(Number.parseInt(code, 8)) : match
    return simple[code] ?? match
  })
}

function expand(text: string, context: References & { line: number }): string {
  try {
    return substitute(text, context.lookup, context.unset)
  } catch (error) {
    if (error instanceof TemplateError) throw new DotenvError(error.message, context.line)
    throw error
  }
}

function isBlank(char: string): boolean {
  return (
    char === ' ' ||
    char === '\t' ||
    char === '\v' ||
    char === '\f' ||
    char === '\r' ||
    char === '\x85' ||
    char === '\xa0'
  )
}

function skipBlanks(src: string, from: number): number {
  let at = from
  while (at < src.length && isBlank(src[at]!)) at++
  return at
}

function lineAt(src: string, offset: number): number {
  let line = 1
  for (let at = src.indexOf('\n'); at >= 0 && at < offset; at = src.indexOf('\n', at + 1)) line++
  return line
}
