/** The comments at the very top that say how the rest is read: `# syntax=`, `# escape=`, `# check=`. */
import { invalid, type Lines } from './source-failure.ts'

export const directiveNames = ['syntax', 'escape', 'check'] as const
export type DirectiveName = (typeof directiveNames)[number]

export interface Directive {
  readonly name: DirectiveName
  readonly value: string
  readonly lines: Lines
}

/** Takes line by line from the first one; whatever is no directive ends them for good. */
export class DirectiveReader {
  readonly #pattern: RegExp
  readonly #seen = new Set<string>()
  #line: number
  #done = false

  constructor({ sign = '#', line = 0 }: { readonly sign?: string; readonly line?: number } = {}) {
    this.#pattern = new RegExp(
      `^${sign}[\\t\\n\\f\\r ]*([a-zA-Z][a-zA-Z0-9]*)[\\t\\n\\f\\r ]*=[\\t\\n\\f\\r ]*(.+?)[\\t\\n\\f\\r ]*$`,
    )
    this.#line = line
  }

  get done(): boolean {
    return this.#done
  }

  /** @throws Failure `invalid` for the second of a name. */
  read(text: string): Directive | undefined {
    this.#line++
    if (this.#done) return undefined
    const [, word, value] = this.#pattern.exec(text) ?? []
    const name = directiveNames.find(each => each === word?.toLowerCase())
    if (name === undefined) {
      this.#done = true
      return undefined
    }
    if (this.#seen.has(name)) throw invalid(`only one ${name} parser directive can be used`)
    this.#seen.add(name)
    return { name, value: value!, lines: { first: this.#line, last: this.#line } }
  }
}

export function findDirective(text: string, wanted: DirectiveName): Directive | undefined {
  return amongFirst(...withoutShebang(text), wanted, '#')
}

/** The frontend a Dockerfile asks for; other languages write it behind "//" or as a member of JSON. Its first word is the image. */
export function findSyntax(text: string): Directive | undefined {
  const [body, skipped] = withoutShebang(text)
  return amongFirst(body, skipped, 'syntax', '#') ?? amongFirst(body, skipped, 'syntax', '//') ?? ofJson(body, skipped)
}

/** The body, and how many lines stand before it. */
function withoutShebang(text: string): readonly [body: string, skipped: number] {
  const body = text.replace(/^\uFEFF/, '')
  return body.startsWith('#!') ? [body.replace(/^.*\n?/, ''), 1] : [body, 0]
}

function amongFirst(body: string, skipped: number, wanted: DirectiveName, sign: string): Directive | undefined {
  const reader = new DirectiveReader({ sign, line: skipped })
  let found: Directive | undefined
  for (const line of body.split('\n')) {
    let directive: Directive | undefined
    try {
      directive = reader.read(line.replace(/\r$/, ''))
    } catch {
      // the parser says it, of the same line; here it only ends them
      return found
    }
    if (reader.done) return found
    if (directive?.name === wanted) found ??= directive
  }
  return found
}

function ofJson(body: string, skipped: number): Directive | undefined {
  if (!/^\s*\{/.test(body)) return undefined
  try {
    const data: unknown = JSON.parse(body)
    if (typeof data !== 'object' || data === null || !('syntax' in data) || typeof data.syntax !== 'string') {
      return undefined
    }
    return { name: 'syntax', value: data.syntax, lines: { first: skipped, last: skipped } }
  } catch {
    // a Dockerfile, then, whatever its parser makes of a brace
    return undefined
  }
}
