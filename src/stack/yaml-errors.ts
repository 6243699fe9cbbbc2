/** What is wrong with a YAML text, as its author would say it: the library's first error → one place, sentence and hint. */
import { CST, type Document, isCollection, isScalar, Lexer, visit } from 'yaml'

export interface Slip {
  readonly offset: number
  readonly message: string
  readonly hint?: string
}

/** The first mistake of a document: what the parser finds after it mostly follows from it. */
export function firstSlip(document: Document.Parsed, text: string): Slip | undefined {
  const [error] = [...document.errors].sort((a, b) => a.pos[0] - b.pos[0])
  if (!error) return undefined
  const at = new Spot(text, error.pos[0])
  const told = explain(error.code, error.message, { at, document })
  return told ?? { offset: at.offset, message: `Cannot parse this YAML: ${wording(error.message)}` }
}

interface Context {
  readonly at: Spot
  readonly document: Document.Parsed
}

function explain(code: string, message: string, { at, document }: Context): Slip | undefined {
  const flow = at.openFlow(document)
  switch (code) {
    case 'TAB_AS_INDENT':
      return {
        offset: at.offset,
        message: 'Cannot use a tab here: lines are indented by blanks',
        hint: 'Put blanks in its place',
      }
    case 'BAD_SCALAR_START':
      return {
        offset: at.offset,
        message: `Cannot begin a value with "${at.char}"`,
        hint: 'Put the value in quotes',
      }
    case 'BAD_DQ_ESCAPE':
      return {
        offset: at.offset,
        message: `Cannot read "${at.text.slice(at.offset, at.offset + 2)}" between double quotes: it stands for nothing there`,
        hint: 'Use single quotes, or write the backslash twice',
      }
    case 'BAD_ALIAS':
      return {
        offset: at.offset,
        message: 'Cannot read "*" here: it begins the name of an anchor',
        hint: 'Put the value in quotes',
      }
    case 'MISSING_CHAR': {
      const quote = at.openQuote(document)
      if (/quote/.test(message) && quote !== undefined)
        return { offset: quote, message: 'Cannot find the end of this text: its quote is not closed' }
      if (/Flow|flow/.test(message)) return flow ?? at.withoutComma()
      return at.lineOfKey() ?? at.withoutColon()
    }
    case 'MULTILINE_IMPLICIT_KEY':
      return at.nextKey()?.withoutComma() ?? at.lineOfKey() ?? at.withoutColon()
    case 'BLOCK_IN_FLOW':
      return at.nextKey()?.withoutComma()
    case 'BLOCK_AS_IMPLICIT_KEY':
      if (/block sequence/.test(message)) return at.misplaced()
      return at.deeperKey()
    case 'BAD_INDENT':
      return /^Flow/.test(message) ? flow : at.misplaced()
    case 'UNEXPECTED_TOKEN':
      if (/Block scalar header/.test(message))
        return {
          offset: at.offset,
          message: 'Cannot read this text block: nothing may follow "|" or ">" on its line',
          hint: 'Begin the text on the next line, indented',
        }
      if (/-end token/.test(message))
        return { offset: at.offset, message: `Cannot read "${at.char}" here: it closes nothing` }
      if (/Unexpected , /.test(message))
        return { offset: at.offset, message: 'Cannot read "," here: nothing stands before it', hint: 'Take it away' }
      if (at.column === 0) return at.misplaced()
      if (/at node end|scalar token/.test(message)) return (at.isAfterEnd && at.withoutComma()) || at.afterValue()
      return undefined
    default:
      return undefined
  }
}

/** An offset in a text, and what its line and the lines around it look like. */
class Spot {
  readonly text: string
  readonly offset: number

  constructor(text: string, offset: number) {
    this.text = text
    this.offset = Math.min(offset, text.length)
  }

  get char(): string {
    return this.text[this.offset] ?? ''
  }

  get column(): number {
    return this.offset - this.#start()
  }

  /** The bracket or brace around this place that is never closed. */
  openFlow(document: Document.Parsed): Slip | undefined {
    let found: number | undefined
    visit(document, {
      Collection: (_, node) => {
        if (!isCollection(node) || !node.flow || !node.range) return
        const [start, end] = node.range
        // a pair among the items of a list begins with its key
        if (!/[[{]/.test(this.text[start]!)) return
        const closed = this.text[end - 1] === (this.text[start] === '[' ? ']' : '}')
        if (start < this.offset && end >= this.offset - 1 && !closed) found = start
      },
    })
    if (found === undefined) return undefined
    const open = this.text[found]
    return { offset: found, message: `Cannot find the "${open === '[' ? ']' : '}'}" that closes this "${open}"` }
  }

  /** What stands before it has ended by a quote, a bracket or a brace. */
  get isAfterEnd(): boolean {
    return /["'\]}]\s*$/.test(this.text.slice(0, this.offset))
  }

  /** The next word that a colon follows, after what stands here. */
  nextKey(): Spot | undefined {
    const found = /\s([^\s:]+)\s*:\s/.exec(this.text.slice(this.offset))
    return found ? new Spot(this.text, this.offset + found.index + 1) : undefined
  }

  /** Undefined outside brackets and braces. */
  withoutComma(): Slip | undefined {
    if (!this.#isInFlow()) return undefined
    return {
      offset: this.offset,
      message: 'Cannot read this: a comma must stand between it and what is before it',
      hint: 'Write a comma before it',
    }
  }

  #isInFlow(): boolean {
    let depth = 0
    let offset = 0
    for (const token of new Lexer().lex(this.text)) {
      if (offset >= this.offset) break
      const type = CST.tokenType(token)
      if (type === 'flow-map-start' || type === 'flow-seq-start') depth++
      else if (type === 'flow-map-end' || type === 'flow-seq-end') depth--
      // what the lexer adds to the text tells a document's beginning, and what a scalar is
      else if (type === 'doc-mode' || type === 'flow-error-end' || type === 'scalar') continue
      offset += token.length
    }
    return depth > 0
  }

  /** Where the quoted text around this place begins. */
  openQuote(document: Document.Parsed): number | undefined {
    let found: number | undefined
    visit(document, {
      Scalar: (_, node) => {
        if (!isScalar(node) || !node.range || !/^QUOTE/.test(node.type ?? '')) return
        if (node.range[0] <= this.offset && node.range[1] >= this.offset - 1) found = node.range[0]
      },
    })
    return found
  }

  /** `image:x`: what should be a key and a value is one word. */
  lineOfKey(): Slip | undefined {
    const line = this.#line()
    const word = /^\s*(?:- +)?([\w.-]+):(?=[^\s:/])/.exec(line)
    if (!word) return undefined
    return {
      offset: this.#start() + word[0].length - 1,
      message: `Cannot read "${line.trim()}": a blank must stand after the colon`,
      hint: `Write "${word[1]}: ${line.slice(word[0].length).trim()}"`,
    }
  }

  withoutColon(): Slip | undefined {
    const line = this.#line()
    const above = this.#above()
    if (above !== undefined && /^\s*- /.test(above) && !/^\s*- /.test(line) && indentOf(above) === indentOf(line))
      return this.misplaced()
    const [word] = line.trim().split(/\s/)
    if (!word) return undefined
    return {
      offset: this.#start() + indentOf(line),
      message: `Cannot read "${word}": a colon must stand after a key`,
      hint: `Write "${word}:"`,
    }
  }

  /** A key below a key that has its value already, or a second colon on one line. */
  deeperKey(): Slip {
    const rest = this.text.slice(this.offset)
    const colon = /:(?=\s|$)/.exec(rest)?.index ?? 0
    const lineBreak = rest.lastIndexOf('\n', colon)
    if (lineBreak < 0)
      return {
        offset: this.offset + colon,
        message: 'Cannot read a second ": " on this line',
        hint: 'Put the value in quotes',
      }
    const at = new Spot(this.text, this.offset + lineBreak + 1)
    const line = at.#line()
    const offset = at.offset + indentOf(line)
    const above = this.#line()
    return {
      offset,
      message: `Cannot place "${keyOf(line)}" here: it is indented below "${keyOf(above)}", which has a value already`,
      hint: `Indent it by ${indentOf(above)} blanks, like "${keyOf(above)}", if it belongs beside it`,
    }
  }

  /** A line whose indentation is that of no line it could belong to. */
  misplaced(): Slip {
    const line = this.#line()
    const indent = indentOf(line)
    const offset = this.#start() + indent
    const above = this.#above()
    const isItem = /^\s*- /.test(line)
    if (above !== undefined && !isItem && /^\s*- /.test(above) && indentOf(above) === indent)
      return {
        offset,
        message: `Cannot place "${unquoted(keyOf(line))}" among the items of a list: they begin with "- "`,
        hint: `Write "- " before it, or no item with "- "`,
      }
    if (above !== undefined && isItem && !/^\s*- /.test(above) && indentOf(above) === indent)
      return {
        offset,
        message: `Cannot place an item of a list beside "${unquoted(keyOf(above))}", which is a key`,
        hint: 'Put it below the key whose list it belongs to',
      }
    const item = isItem ? this.#lines().findLast(other => /^\s*- /.test(other)) : undefined
    if (item !== undefined && indentOf(item) !== indent)
      return {
        offset,
        message: `Cannot tell where this item belongs: it is indented by ${indent}, the item above it by ${indentOf(item)}`,
        hint: `Indent it by ${indentOf(item)}`,
      }
    const siblings = this.#indentsAbove()
    const near = siblings.sort((a, b) => Math.abs(a - indent) - Math.abs(b - indent))[0]
    return {
      offset,
      message: `Cannot tell where ${isItem ? 'this item' : `"${keyOf(line)}"`} belongs: it is indented by ${indent}, the lines above it by ${[...new Set(siblings)].sort((a, b) => a - b).join(', ')}`,
      hint: near === undefined ? undefined : `Indent it by ${near}`,
    }
  }

  /** More text where a value has ended. */
  afterValue(): Slip {
    const { char } = this
    const bracket = /[[\]{}]/.test(char)
    return {
      offset: this.offset,
      message: bracket
        ? `Cannot read "${char}" within a value that has no quotes`
        : 'Cannot read this: the value before it has ended',
      hint: 'Put the whole value in quotes',
    }
  }

  #start(): number {
    return this.text.lastIndexOf('\n', this.offset - 1) + 1
  }

  #line(): string {
    return this.text.slice(this.#start()).split('\n', 1)[0]!
  }

  /** All lines above that say something. */
  #lines(): string[] {
    return this.text.slice(0, this.#start()).split('\n').filter(isContent)
  }

  /** The nearest of them. */
  #above(): string | undefined {
    return this.#lines().at(-1)
  }

  /** How the lines are indented that this one could belong to: from here upwards, each less than the one before. */
  #indentsAbove(): number[] {
    const found: number[] = []
    for (const line of this.#lines().reverse()) {
      const indent = indentOf(line)
      if (found.length === 0 || indent < found.at(-1)!) found.push(indent)
      if (indent === 0) break
    }
    return found
  }
}

function isContent(line: string): boolean {
  return line.trim() !== '' && !/^\s*#/.test(line)
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length
}

function unquoted(word: string): string {
  return word.replace(/^(["'])(.*)\1$/, '$2')
}

/** The key of a line, or its first word. */
function keyOf(line: string): string {
  return /^\s*(?:- +)?(.*?):(?:\s|$)/.exec(line)?.[1] ?? line.trim().split(/\s/)[0] ?? ''
}

function wording(message: string): string {
  const line = message.split('\n')[0]!.replace(/\.$/, '')
  return line.charAt(0).toLowerCase() + line.slice(1)
}
