/**
 * Words as BuildKit's builder reads them, which is nearly as a shell does: quotes, escapes, `$NAME`, `${NAME:-word}`, and splitting
 * at blanks. Its own rules where it differs: a lone `$` stays, `$$` and `$1` are names of nothing.
 */
import { Failure } from '../../lib/failure.ts'
import { replaced, withoutPrefix, withoutSuffix } from './shell-pattern.ts'
import { invalid } from './source-failure.ts'
import { goQuote, isSpace } from './text.ts'

export interface WordOptions {
  /** Before a quote, a dollar, a blank: "\" or "`". */
  readonly escapeSign: string
  /** Quotes stay in what comes out. */
  readonly rawQuotes?: boolean
  readonly rawEscapes?: boolean
  /** Quotes are characters as any other. */
  readonly quotesArePlain?: boolean
  /** What has no value stays as it is written. */
  readonly keepUnset?: boolean
}

export interface Expanded {
  readonly text: string
  /** Split at the blanks that are not quoted, after expansion. */
  readonly words: readonly string[]
  /** Names that had a value, and those that had none. */
  readonly used: ReadonlySet<string>
  readonly unset: ReadonlySet<string>
}

export type Variables = (name: string) => string | undefined

/** Characters: a value that doubles with every line would fill the memory, and no program takes as much. */
const longestResult = 1024 * 1024

/** @throws Failure `invalid` in BuildKit's words. */
export function expandWord(word: string, variables: Variables, options: WordOptions): Expanded {
  const reader = new WordReader(word, variables, options)
  try {
    const { text, words } = reader.readUntil(undefined, options.rawEscapes ?? false)
    if (text.length > longestResult) throw invalid(`it becomes longer than ${longestResult} characters`)
    return { text, words, used: reader.used, unset: reader.unset }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    throw new Failure('invalid', `failed to process ${goQuote(word)}: ${error.message}`, { cause: error })
  }
}

/** Substitutions inside each other. */
const deepest = 200

class TooDeep extends Failure {
  constructor() {
    super('invalid', `more than ${deepest} substitutions inside each other`)
  }
}

class WordReader {
  readonly used = new Set<string>()
  readonly unset = new Set<string>()
  readonly #chars: readonly string[]
  readonly #variables: Variables
  readonly #options: WordOptions
  #at = 0
  #rawEscapes = false
  #depth = 0
  /** The word that is being gathered. A substitution's own text begins it anew, so that what stood before in the same word is lost to `words`. */
  #word = ''

  constructor(text: string, variables: Variables, options: WordOptions) {
    this.#chars = [...text.replace(/^\uFEFF/, '')]
    this.#variables = variables
    this.#options = options
  }

  readUntil(
    stop: string | undefined,
    rawEscapes: boolean,
  ): { readonly text: string; readonly words: readonly string[] } {
    const before = this.#rawEscapes
    this.#rawEscapes = rawEscapes
    this.#word = ''
    try {
      return this.#read(stop)
    } finally {
      this.#rawEscapes = before
    }
  }

  #read(stop: string | undefined): { readonly text: string; readonly words: readonly string[] } {
    const words: string[] = []
    let text = ''
    const split = (chars: string) => {
      for (const char of chars) {
        if (!isSpace(char)) this.#word += char
        else if (this.#word !== '') {
          words.push(this.#word)
          this.#word = ''
        }
      }
    }
    const finished = () => {
      if (this.#word !== '') words.push(this.#word)
      this.#word = ''
      return { text, words }
    }
    for (let char = this.#peek(); char !== undefined; char = this.#peek()) {
      if (char === stop) {
        this.#next()
        return finished()
      }
      if (char === '$') {
        const value = this.#dollar()
        text += value
        split(value)
      } else if (char === '<' || (/['"]/.test(char) && !this.#options.quotesArePlain)) {
        const value = char === '<' ? this.#less() : char === "'" ? this.#single() : this.#double()
        text += value
        this.#word += value
      } else if (this.#next() === this.#options.escapeSign) {
        const kept = (this.#rawEscapes ? char : '') + (this.#next() ?? '')
        text += kept
        this.#word += kept
      } else {
        text += char
        split(char)
      }
    }
    if (stop !== undefined) throw invalid(`unexpected end of statement while looking for matching ${stop}`)
    return finished()
  }

  #peek(): string | undefined {
    return this.#chars[this.#at]
  }

  #next(): string | undefined {
    return this.#chars[this.#at++]
  }

  /** "<<" and the blanks behind it belong together: a heredoc may be written so. */
  #less(): string {
    this.#next()
    if (this.#peek() !== '<') return '<'
    let text = '<'
    do text += this.#next()
    while (/^[\t\r ]$/.test(this.#peek() ?? ''))
    return text
  }

  /** What is kept of one that opens. */
  #quote(): string {
    const sign = this.#next()!
    return this.#options.rawQuotes ? sign : ''
  }

  #single(): string {
    let text = ''
    const quote = this.#quote()
    for (let char = this.#next(); char !== "'"; char = this.#next()) {
      if (char === undefined) throw invalid('unexpected end of statement while looking for matching single-quote')
      text += char
    }
    return quote + text + quote
  }

  #double(): string {
    let text = ''
    const quote = this.#quote()
    for (let char = this.#peek(); char !== '"'; char = this.#peek()) {
      if (char === undefined) throw invalid('unexpected end of statement while looking for matching double-quote')
      if (char === '$') {
        text += this.#dollar()
        continue
      }
      this.#next()
      if (char === this.#options.escapeSign) {
        if (this.#rawEscapes) text += char
        const behind = this.#peek()
        if (behind === undefined) continue
        // before anything else it stands for itself
        if (behind === '"' || behind === '$' || behind === this.#options.escapeSign) char = this.#next()!
      }
      text += char
    }
    this.#next()
    return quote + text + quote
  }

  #dollar(): string {
    this.#next()
    if (this.#peek() === '{') return this.#substitution()
    const name = this.#name()
    if (name === '') return '$'
    return this.#valueOf(name) ?? (this.#options.keepUnset ? `$${name}` : '')
  }

  #substitution(): string {
    this.#next()
    const first = this.#peek()
    if (first === undefined) throw invalid("syntax error: missing '}'")
    if (/^[{}:]$/.test(first)) throw invalid('syntax error: bad substitution')
    const name = this.#name()
    let sign = this.#next()
    if (sign === '}') return this.#valueOf(name) ?? (this.#options.keepUnset ? `\${${name}}` : '')
    if (sign === '/') return this.#replacement(name)
    const colon = sign === ':' ? ':' : ''
    if (colon) sign = this.#next()
    const operator = `${colon}${sign ?? '\uFFFD'}`
    const cuts = sign === '#' || sign === '%'
    if ((colon && cuts) || (!colon && !/^[-+?#%]$/.test(sign ?? ''))) {
      throw invalid(`unsupported modifier (${operator}) in substitution`)
    }
    const word = this.#inner('}', cuts, "syntax error: missing '}'")
    const value = this.#valueOf(name)
    if (value === undefined && this.#options.keepUnset) return `\${${name}${operator}${word}}`
    return this.#operate(name, operator, word, value)
  }

  #operate(name: string, operator: string, word: string, value: string | undefined): string {
    const missing = value === undefined || (operator.startsWith(':') && value === '')
    switch (operator.at(-1)) {
      case '-':
        return missing ? word : value
      case '+':
        return missing ? '' : word
      case '?':
        if (!missing) return value
        throw invalid(`${name}: ${word || `is not allowed to be ${value === undefined ? 'unset' : 'empty'}`}`)
      case '#':
        return word.startsWith('#')
          ? withoutPrefix(value ?? '', word.slice(1), true)
          : withoutPrefix(value ?? '', word, false)
      case '%':
        return word.startsWith('%')
          ? withoutSuffix(value ?? '', word.slice(1), true)
          : withoutSuffix(value ?? '', word, false)
      default:
        throw invalid(`unsupported modifier (${operator}) in substitution`)
    }
  }

  #replacement(name: string): string {
    const all = this.#peek() === '/'
    if (all) this.#next()
    const pattern = this.#inner('/', true, "syntax error: missing '/' in ${}")
    const replacement = this.#inner('}', true, "syntax error: missing '}'")
    const value = this.#valueOf(name)
    if (value === undefined && this.#options.keepUnset) return `\${${name}/${pattern}/${replacement}}`
    return replaced(value ?? '', pattern, replacement, all)
  }

  /** The word inside a substitution; `missing` is said when the text ends before it does. */
  #inner(stop: string, rawEscapes: boolean, missing: string): string {
    if (++this.#depth > deepest) throw new TooDeep()
    try {
      return this.readUntil(stop, rawEscapes).text
    } catch (error) {
      throw this.#peek() === undefined && !(error instanceof TooDeep)
        ? new Failure('invalid', missing, { cause: error })
        : error
    } finally {
      this.#depth--
    }
  }

  /** Letters, digits and "_", or a number, or one special sign; "" for anything else. */
  #name(): string {
    const first = this.#peek() ?? ''
    if (/^\p{Nd}$/u.test(first)) return this.#while(/^\p{Nd}$/u)
    if (/^[@*#?\-$!]$/.test(first)) return this.#next()!
    return this.#while(/^[\p{L}\p{Nd}_]$/u)
  }

  #while(pattern: RegExp): string {
    let text = ''
    while (pattern.test(this.#peek() ?? '')) text += this.#next()
    return text
  }

  #valueOf(name: string): string | undefined {
    const value = this.#variables(name)
    ;(value === undefined ? this.unset : this.used).add(name)
    return value
  }
}
