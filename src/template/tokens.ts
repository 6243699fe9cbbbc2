/** The text of a template → pieces of text and actions, an action as its tokens; `{{-` and `-}}` already trimmed. */
import { templateFailure } from './failure.ts'

export interface Token {
  readonly kind: 'word' | 'field' | 'variable' | 'string' | 'number' | 'sign'
  /** A string's value is unquoted; a field's and a variable's is its name without `.` and `$`. */
  readonly text: string
  readonly at: number
  /** Blanks stand before it: `.a .b` are two operands, `.a.b` is one. */
  readonly apart: boolean
}

export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly tokens: readonly Token[]; readonly at: number }

export function piecesOf(source: string): readonly Piece[] {
  const pieces: Piece[] = []
  let at = 0
  let trim = false
  while (at < source.length) {
    const open = source.indexOf('{{', at)
    const end = open < 0 ? source.length : open
    const trimsLeft = open >= 0 && /^-[ \t\r\n]/.test(source.slice(open + 2, open + 4))
    let text = source.slice(at, end)
    if (trim) text = text.trimStart()
    if (trimsLeft) text = text.trimEnd()
    if (text !== '') pieces.push({ kind: 'text', text })
    if (open < 0) break
    const action = readAction(source, open + (trimsLeft ? 3 : 2), open)
    if (action.tokens.length > 0) pieces.push({ kind: 'action', tokens: action.tokens, at: open + 2 })
    else if (!action.comment) throw templateFailure(source, open + 2, 'missing value for command')
    trim = action.trimsRight
    at = action.end
  }
  return pieces
}

const patterns = {
  comment: /\/\*[\s\S]*?\*\//y,
  string: /"(?:[^"\\\n]|\\.)*"/y,
  raw: /`[^`]*`/y,
  char: /'(?:[^'\\\n]|\\.[^']*)'/y,
  number: /[+-]?(?:0[xX][\da-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?)/y,
  field: /\.([\p{L}_][\p{L}\p{Nd}_]*)/uy,
  variable: /\$([\p{L}_][\p{L}\p{Nd}_]*)?/uy,
  word: /[\p{L}_][\p{L}\p{Nd}_]*/uy,
  sign: /:=|[=|(),.]/y,
} as const

function readAction(source: string, from: number, open: number) {
  const tokens: Token[] = []
  let comment = false
  let at = from
  let apart = true
  const match = (name: keyof typeof patterns) => {
    const pattern = patterns[name]
    pattern.lastIndex = at
    return pattern.exec(source)
  }
  const add = (kind: Token['kind'], text: string, length: number) => {
    tokens.push({ kind, text, at, apart })
    at += length
    apart = false
  }
  for (;;) {
    const blank = /[ \t\r\n]*/y
    blank.lastIndex = at
    const blanks = blank.exec(source)![0].length
    at += blanks
    apart ||= blanks > 0
    if (source.startsWith('-}}', at) && blanks > 0) return { tokens, comment, trimsRight: true, end: at + 3 }
    if (source.startsWith('}}', at)) return { tokens, comment, trimsRight: false, end: at + 2 }
    if (at >= source.length) throw templateFailure(source, open, 'unclosed action')
    let found: RegExpExecArray | null
    if ((found = match('comment'))) {
      comment = true
      at += found[0].length
    } else if ((found = match('string'))) add('string', unquote(source, found[0], at), found[0].length)
    else if ((found = match('raw'))) add('string', found[0].slice(1, -1).replaceAll('\r', ''), found[0].length)
    else if ((found = match('char'))) {
      const value = unquote(source, `"${found[0].slice(1, -1).replaceAll('"', '\\"')}"`, at)
      add('number', String(value.codePointAt(0)), found[0].length)
    } else if ((found = match('number'))) add('number', found[0].replaceAll('_', ''), found[0].length)
    else if ((found = match('field'))) add('field', found[1]!, found[0].length)
    else if ((found = match('variable'))) add('variable', found[1] ?? '', found[0].length)
    else if ((found = match('word'))) add('word', found[0], found[0].length)
    else if ((found = match('sign'))) add('sign', found[0], found[0].length)
    else if (/["`']/.test(source[at]!)) throw templateFailure(source, at, 'unterminated quoted string')
    else throw templateFailure(source, at, `unexpected ${JSON.stringify(source[at])} in action`)
  }
}

const escapes: Readonly<Record<string, string>> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }

/** The value of a quoted string, by Go's escapes. */
function unquote(source: string, quoted: string, at: number): string {
  return quoted
    .slice(1, -1)
    .replace(
      /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{3})|(.))/gs,
      (_, x, u, wide, octal, one) => {
        const hex = x ?? u ?? wide
        if (hex !== undefined) return String.fromCodePoint(Math.min(Number.parseInt(hex, 16), 0x10ffff))
        if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8))
        if (one in escapes) return escapes[one]!
        if (one === '"' || one === '\\' || one === "'") return one
        throw templateFailure(source, at, `unknown escape \\${one} in string`)
      },
    )
}
