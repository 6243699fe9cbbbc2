/** The pieces of a template → a tree: what is printed, decided and repeated. */
import { templateFailure } from './failure.ts'
import { piecesOf, type Token } from './tokens.ts'

export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'print'; readonly pipe: Pipe }
  | { readonly kind: 'if' | 'with' | 'range'; readonly pipe: Pipe; readonly body: Body; readonly otherwise: Body }
  | { readonly kind: 'break' | 'continue' }

export type Body = readonly Node[]

/** `$a, $b := command | command`. */
export interface Pipe {
  readonly variables: readonly string[]
  /** `$a = …` changes a variable of further out, `$a := …` makes one. */
  readonly makes: boolean
  readonly commands: readonly Command[]
  readonly at: number
}

export interface Command {
  readonly operands: readonly Operand[]
  readonly at: number
}

/** What a command is made of; `fields` are looked up in it one after the other. */
export type Operand = { readonly fields: readonly string[]; readonly at: number } & (
  | { readonly kind: 'dot' }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'pipe'; readonly pipe: Pipe }
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null }
  | { readonly kind: 'function'; readonly name: string }
)

export interface Template {
  readonly source: string
  readonly body: Body
}

/** @throws Failure invalid, with line and column; `functions` are the names it may call. */
export function parseTemplate(source: string, functions: ReadonlySet<string>): Template {
  return { source, body: new Parser(source, functions).whole() }
}

const opening = new Set(['if', 'with', 'range'])
const unknownKeywords = new Set(['block', 'define', 'template'])

class Parser {
  readonly #source: string
  readonly #functions: ReadonlySet<string>
  readonly #pieces
  #next = 0
  #tokens: readonly Token[] = []
  #at = 0
  /** The names of variables, as far as they are known where we are. */
  #variables: string[] = ['']
  #loops = 0

  constructor(source: string, functions: ReadonlySet<string>) {
    this.#source = source
    this.#functions = functions
    this.#pieces = piecesOf(source)
  }

  whole(): Body {
    const { body, end } = this.#body()
    if (end) throw this.#fail(end.at, `unexpected {{${end.text}}}`)
    return body
  }

  /** Nodes up to `{{end}}` or `{{else}}`, whose token stays the current one. */
  #body(): { readonly body: Body; readonly end: Token | undefined } {
    const body: Node[] = []
    while (this.#next < this.#pieces.length) {
      const piece = this.#pieces[this.#next++]!
      if (piece.kind === 'text') {
        body.push(piece)
        continue
      }
      this.#tokens = piece.tokens
      this.#at = 0
      const first = piece.tokens[0]!
      const word = first.kind === 'word' ? first.text : ''
      if (word === 'end' || word === 'else') return { body, end: first }
      if (unknownKeywords.has(word)) throw this.#fail(first.at, `{{${word}}} is not supported`)
      if (opening.has(word)) body.push(this.#block(word as 'if'))
      else if (word === 'break' || word === 'continue') {
        if (this.#loops === 0) throw this.#fail(first.at, `{{${word}}} outside {{range}}`)
        this.#at++
        this.#ended()
        body.push({ kind: word })
      } else {
        body.push({ kind: 'print', pipe: this.#pipe() })
        this.#ended()
      }
    }
    return { body, end: undefined }
  }

  /** `{{if x}} … {{else if y}} … {{else}} … {{end}}`; the word is the current token. */
  #block(kind: 'if' | 'with' | 'range'): Node {
    const start = this.#tokens[this.#at++]!
    const known = this.#variables
    this.#variables = [...known]
    const pipe = this.#pipe(kind === 'range')
    this.#ended()
    if (kind === 'range') this.#loops++
    const { body, end } = this.#body()
    if (kind === 'range') this.#loops--
    if (!end) throw this.#fail(start.at, `unexpected EOF: {{${kind}}} has no {{end}}`)
    const otherwise = end.text === 'else' ? this.#otherwise(kind, start) : this.#closed()
    this.#variables = known
    return { kind, pipe, body, otherwise }
  }

  #closed(): Body {
    this.#at++
    this.#ended()
    return []
  }

  #otherwise(kind: string, start: Token): Body {
    this.#at++
    const again = this.#tokens[this.#at]
    if (again && again.text === kind && kind !== 'range') return [this.#block(kind as 'if')]
    this.#ended()
    const { body, end } = this.#body()
    if (!end) throw this.#fail(start.at, `unexpected EOF: {{${kind}}} has no {{end}}`)
    if (end.text === 'else') throw this.#fail(end.at, 'expected end; found {{else}}')
    this.#closed()
    return body
  }

  #pipe(inRange = false): Pipe {
    const at = this.#here()
    const { variables, makes } = this.#declared(inRange)
    const commands = [this.#command()]
    while (this.#sign('|')) commands.push(this.#command())
    return { variables, makes, commands, at }
  }

  /** `$x :=`, `$x =`, and in a range `$i, $x :=`. */
  #declared(inRange: boolean): { readonly variables: readonly string[]; readonly makes: boolean } {
    const [first, second, third, fourth] = this.#tokens.slice(this.#at)
    const isAssignment = (token: Token | undefined) => token?.kind === 'sign' && /^:?=$/.test(token.text)
    const pair = inRange && second?.text === ',' && third?.kind === 'variable' && isAssignment(fourth)
    if (first?.kind !== 'variable' || !(pair || isAssignment(second))) return { variables: [], makes: false }
    const variables = pair ? [first.text, third.text] : [first.text]
    const makes = (pair ? fourth : second)!.text === ':='
    if (!makes) for (const name of variables) this.#known(name, first.at)
    this.#at += pair ? 4 : 2
    if (makes) this.#variables.push(...variables)
    return { variables, makes }
  }

  #command(): Command {
    const at = this.#here()
    const operands: Operand[] = []
    for (let token = this.#tokens[this.#at]; token; token = this.#tokens[this.#at]) {
      if (token.kind === 'sign' && (token.text === '|' || token.text === ')')) break
      operands.push(this.#operand(token))
    }
    if (operands.length === 0) throw this.#missing()
    const [first] = operands
    if (operands.length > 1 && first!.kind === 'literal')
      throw this.#fail(at, `can't give argument to non-function ${JSON.stringify(first!.value)}`)
    return { operands, at }
  }

  #operand(token: Token): Operand {
    const { at, text } = token
    this.#at++
    switch (token.kind) {
      case 'field':
        return { kind: 'dot', fields: [text, ...this.#fields()], at }
      case 'variable':
        this.#known(text, at)
        return { kind: 'variable', name: text, fields: this.#fields(), at }
      case 'string':
        return { kind: 'literal', value: text, fields: [], at }
      case 'number':
        return { kind: 'literal', value: Number(text), fields: [], at }
      case 'word':
        if (text === 'true' || text === 'false') return { kind: 'literal', value: text === 'true', fields: [], at }
        if (text === 'nil') return { kind: 'literal', value: null, fields: [], at }
        if (!this.#functions.has(text))
          throw this.#fail(
            at,
            `function "${text}" not defined`,
            `Functions are ${[...this.#functions].sort().join(', ')}`,
          )
        return { kind: 'function', name: text, fields: [], at }
      case 'sign':
        if (text === '.') return { kind: 'dot', fields: [], at }
        if (text !== '(') throw this.#fail(at, `unexpected "${text}" in operand`)
    }
    const pipe = this.#pipe()
    if (!this.#sign(')')) throw this.#fail(at, 'unclosed left paren')
    return { kind: 'pipe', pipe, fields: this.#fields(), at }
  }

  /** `.a.b` right behind an operand. */
  #fields(): readonly string[] {
    const fields: string[] = []
    for (let token = this.#tokens[this.#at]; token?.kind === 'field' && !token.apart; token = this.#tokens[this.#at]) {
      fields.push(token.text)
      this.#at++
    }
    return fields
  }

  #known(name: string, at: number): void {
    if (!this.#variables.includes(name)) throw this.#fail(at, `undefined variable "$${name}"`)
  }

  #sign(text: string): boolean {
    const token = this.#tokens[this.#at]
    if (token?.kind !== 'sign' || token.text !== text) return false
    this.#at++
    return true
  }

  /** Where the next token stands; there must be one. */
  #here(): number {
    const token = this.#tokens[this.#at]
    if (!token) throw this.#missing()
    return token.at
  }

  #ended(): void {
    const token = this.#tokens[this.#at]
    if (token) throw this.#fail(token.at, `unexpected "${token.text}" in command`)
  }

  #missing() {
    return this.#fail(this.#tokens.at(-1)?.at ?? 0, 'missing value for command')
  }

  #fail(at: number, what: string, hint?: string) {
    return templateFailure(this.#source, at, what, hint)
  }
}
