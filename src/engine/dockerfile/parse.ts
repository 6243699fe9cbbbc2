/** A Dockerfile's text → its statements, as BuildKit's parser cuts it: directives, continuations, comments in between, heredocs. */
import { DirectiveReader } from './directives.ts'
import { type HeredocText, heredocMarks } from './heredoc.ts'
import { atLines, invalid, type Lines, SourceFailure } from './source-failure.ts'
import { parseStatementLine, type StatementLine } from './statement-line.ts'
import { trim, trimStart } from './text.ts'

export interface Statement extends StatementLine {
  readonly lines: Lines
  readonly heredocs: readonly HeredocText[]
  /** The comments right above it, without "#". */
  readonly comments: readonly string[]
}

export interface ParsedDockerfile {
  readonly statements: readonly Statement[]
  /** "\" or "`", by `# escape=`. */
  readonly escapeSign: string
  /** Continued lines with an empty one in between. */
  readonly emptyContinuations: readonly Lines[]
}

/** Bytes of one line, without its end. */
const longestLine = 65_535

/** Characters: far more than anybody writes. */
const longestFile = 4 * 1024 * 1024

/** @throws SourceFailure in BuildKit's words. */
export function parseDockerfile(text: string): ParsedDockerfile {
  if (text.length > longestFile) throw invalid(`Dockerfile is longer than ${longestFile} characters`)
  return new DockerfileParser(text).parse()
}

class DockerfileParser {
  readonly #lines: readonly string[]
  readonly #directives = new DirectiveReader()
  readonly #statements: Statement[] = []
  readonly #emptyContinuations: Lines[] = []
  #escapeSign = '\\'
  /** Lines that have been read. */
  #at = 0
  #comments: string[] = []

  constructor(text: string) {
    this.#lines = text.replace(/^\uFEFF/, '').match(/[^\n]*\n|[^\n]+$/g) ?? []
  }

  parse(): ParsedDockerfile {
    for (let line = this.#next(); line !== undefined; line = this.#next()) this.#readFrom(line)
    if (this.#statements.length === 0) {
      throw new SourceFailure('file with no instructions', { first: this.#at, last: this.#at })
    }
    return { statements: this.#statements, escapeSign: this.#escapeSign, emptyContinuations: this.#emptyContinuations }
  }

  #readFrom(line: string): void {
    const first = this.#at
    if (isComment(line)) {
      const comment = trim(line.slice(1))
      if (comment === '') this.#comments = []
      else this.#comments.push(comment)
    }
    const content = trimStart(withoutEnd(line))
    if (atLines({ first, last: first }, () => this.#directive(content))) this.#comments.pop()
    const head = this.#uncontinued(isComment(content) ? '' : content)
    if (!head.continued && head.text === '') return
    const text = head.continued ? head.text + this.#continuation() : head.text
    const statement = atLines({ first, last: this.#at }, () => parseStatementLine(text, this.#escapeSign))
    const heredocs = this.#heredocs(statement, first)
    const lines = { first, last: Math.max(first, this.#at) }
    this.#statements.push({ ...statement, heredocs, lines, comments: this.#comments })
    this.#comments = []
  }

  #next(): string | undefined {
    const line = this.#lines[this.#at]
    if (line === undefined) return undefined
    if (line.length > longestLine / 3 && Buffer.byteLength(withoutNewline(line)) > longestLine) {
      const lines = { first: this.#at, last: this.#at }
      throw new SourceFailure(`dockerfile line greater than max allowed size of ${longestLine}`, lines)
    }
    this.#at++
    return line
  }

  #directive(text: string): boolean {
    const directive = this.#directives.read(text)
    if (directive?.name === 'escape') {
      const { value } = directive
      if (value !== '\\' && value !== '`') throw invalid(`invalid escape token '${value}' does not match \` or \\`)
      this.#escapeSign = value
    }
    return directive !== undefined
  }

  /** A line without the escape at its end, and whether it had one; an escape that is escaped is none. */
  #uncontinued(line: string): { readonly text: string; readonly continued: boolean } {
    let end = line.length
    while (line[end - 1] === ' ' || line[end - 1] === '\t') end--
    const body = line.slice(0, end)
    const continued = body.endsWith(this.#escapeSign) && body.at(-2) !== this.#escapeSign
    return continued ? { text: body.slice(0, -1), continued } : { text: line, continued }
  }

  #continuation(): string {
    let text = ''
    let empty = false
    for (let line = this.#next(); line !== undefined; line = this.#next()) {
      this.#directive(withoutEnd(line))
      if (isComment(line)) continue
      if (trimStart(withoutEnd(line)) === '') {
        empty = true
        continue
      }
      const part = this.#uncontinued(withoutEnd(line))
      text += part.text
      if (!part.continued) break
    }
    if (empty) this.#emptyContinuations.push({ first: this.#at, last: this.#at })
    return text
  }

  #heredocs(statement: StatementLine, first: number): readonly HeredocText[] {
    if (!takesHeredocs(statement) || !statement.text.includes('<<')) return []
    const marks = atLines({ first, last: this.#at }, () => heredocMarks(statement.text))
    return marks.map(mark => {
      let content = ''
      for (let line = this.#next(); line !== undefined; line = this.#next()) {
        const end = withoutEnd(line)
        if ((mark.chomp ? end.replace(/^\t+/, '') : end) === mark.name) return { ...mark, content }
        content += line
      }
      throw new SourceFailure('unterminated heredoc', { first, last: this.#at })
    })
  }
}

/** COPY, ADD and RUN, and what stands behind ONBUILD, when it is one of them. */
function takesHeredocs(statement: StatementLine): boolean {
  const { keyword, json } = (statement.keyword.toLowerCase() === 'onbuild' && statement.trigger) || statement
  return ['add', 'copy', 'run'].includes(keyword.toLowerCase()) && !json
}

const isComment = (line: string): boolean => trimStart(line).startsWith('#')

function withoutEnd(line: string): string {
  let end = line.length
  while (line[end - 1] === '\n' || line[end - 1] === '\r') end--
  return line.slice(0, end)
}

const withoutNewline = (line: string): string => line.replace(/\n$/, '')
