/** The grammar of ${…} in a value: `$$`, `$A`, `${A}`, `${A:-b}`, `${A-b}`, `${A:?e}`, `${A?e}`, `${A:+b}`, `${A+b}`, nested. */

export type Lookup = (name: string) => string | undefined

/** Told of each variable without value and without default, with the offset of the reference in the template. */
export type Unset = (name: string, at: number) => void

export class TemplateError extends Error {
  /** Offset in the template. */
  readonly at: number
  constructor(message: string, at: number) {
    super(message)
    this.at = at
  }
}

const operators = /^(:\?|\?|:-|-|:\+|\+)/
const name = /[a-z_][a-z0-9_]*/iy

/** `text` with every variable replaced; unset ones become empty. Deep nesting is refused rather than run out of stack. */
export function substitute(text: string, lookup: Lookup, unset: Unset = () => {}, depth = 0): string {
  let at = text.indexOf('$')
  if (at < 0) return text
  if (depth > 100) throw new TemplateError('variables are nested more than 100 deep', at)
  const line: Line = { end: -1, last: -1 }
  let result = ''
  let done = 0
  while (at >= 0) {
    result += text.slice(done, at)
    const next = text[at + 1]
    if (next === '$') {
      result += '$'
      done = at + 2
    } else if (next === '{') {
      const close = closing(text, at, line)
      if (close < 0) throw new TemplateError(`"${text.slice(at)}" has no closing brace on its line`, at)
      result += braced(text.slice(at + 2, close), { lookup, unset, depth, at })
      done = close + 1
    } else {
      const word = matchName(text, at + 1)
      result += word ? plain(word, { lookup, unset, at }) : '$'
      done = at + 1 + word.length
    }
    at = text.indexOf('$', done)
  }
  return result + text.slice(done)
}

/** Every variable of a template, with its default and whether it must be set; nested ones included. */
export function variablesOf(
  text: string,
): Array<{ name: string; required: boolean; default: string; alternative: string }> {
  const found: Array<{ name: string; required: boolean; default: string; alternative: string }> = []
  for (let at = text.indexOf('$'); at >= 0; at = text.indexOf('$', at)) {
    if (text[at + 1] === '$') at += 2
    else if (text[at + 1] === '{') {
      const close = closing(text, at)
      if (close < 0) return found
      const body = text.slice(at + 2, close)
      const word = matchName(body, 0)
      const operator = operators.exec(body.slice(word.length))?.[0] ?? ''
      const rest = body.slice(word.length + operator.length)
      if (word)
        found.push({
          name: word,
          required: operator.endsWith('?'),
          default: operator.endsWith('-') ? rest : '',
          alternative: operator.endsWith('+') ? rest : '',
        })
      found.push(...variablesOf(rest))
      at = close + 1
    } else {
      const word = matchName(text, at + 1)
      if (word) found.push({ name: word, required: false, default: '', alternative: '' })
      at += 1 + word.length
    }
  }
  return found
}

interface Reference {
  readonly lookup: Lookup
  readonly unset: Unset
  /** Offset in the template. */
  readonly at: number
}

/** `$A` and `${A}`. */
function plain(word: string, { lookup, unset, at }: Reference): string {
  const value = lookup(word)
  if (value === undefined) unset(word, at)
  return value ?? ''
}

function braced(body: string, context: Reference & { readonly depth: number }): string {
  const { lookup, depth, at } = context
  const word = matchName(body, 0)
  const rest = body.slice(word.length)
  const operator = operators.exec(rest)?.[0] ?? ''
  if (word === '' || (rest !== '' && operator === ''))
    throw new TemplateError(`"\${${body}}" is no variable, should be like \${NAME} or \${NAME:-default}`, at)
  if (operator === '') return plain(word, context)
  const value = lookup(word)
  const argument = rest.slice(operator.length)
  const begin = at + 2 + word.length + operator.length
  const fill = (): string => {
    try {
      return substitute(argument, lookup, (name, within) => context.unset(name, begin + within), depth + 1)
    } catch (error) {
      if (error instanceof TemplateError) throw new TemplateError(error.message, begin + error.at)
      throw error
    }
  }
  const present = operator.startsWith(':') ? value !== undefined && value !== '' : value !== undefined
  switch (operator.at(-1)) {
    // The argument is filled in also when it is not used: what is required in it is required.
    case '-': {
      const filled = fill()
      return present ? value! : filled
    }
    case '+': {
      const filled = fill()
      return present ? filled : ''
    }
    default: {
      const message = fill()
      if (present) return value!
      throw new TemplateError(
        `required variable "${word}" is ${value === '' ? 'empty' : 'not set'}${message ? `: ${message}` : ''}`,
        at,
      )
    }
  }
}

/**
 * The brace that closes the `${` at `start`, on the same line. Every `{` opens another, but the character after it is
 * not looked at, as in Compose: the last brace of the line closes what this leaves open.
 */
function closing(text: string, start: number, line: Line = { end: -1, last: -1 }): number {
  const after = start + 2 + matchName(text, start + 2).length
  if (text[after] === '}') return after
  if (start > line.end) {
    const newline = text.indexOf('\n', start)
    line.end = newline < 0 ? text.length : newline
    line.last = text.lastIndexOf('}', line.end)
  }
  const { last } = line
  if (last < after) return -1
  let open = 0
  for (let at = start; at <= last; at++) {
    if (text[at] === '}') {
      if (--open === 0) return at
    } else if (text[at] === '{') {
      open++
      at++
    }
  }
  return last
}

/** The line at hand, and its last closing brace: looked for once, however many variables it has. */
interface Line {
  end: number
  last: number
}

function matchName(text: string, at: number): string {
  name.lastIndex = at
  return name.exec(text)?.[0] ?? ''
}
