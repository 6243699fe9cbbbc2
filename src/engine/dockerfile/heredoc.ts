/** `<<NAME`, `<<-NAME`, `<<"NAME"`: files and scripts that stand in the Dockerfile itself. */
import { invalid } from './source-failure.ts'
import { expandWord } from './words.ts'

export interface HeredocMark {
  readonly name: string
  /** Variables in it are filled in: its name is not quoted. */
  readonly expand: boolean
  /** `<<-`: tabs at the beginning of its lines go. */
  readonly chomp: boolean
}

export interface HeredocText extends HeredocMark {
  /** As it stands in the file, tabs included. */
  readonly content: string
}

const nothing = () => undefined
const options = { escapeSign: '\\', keepUnset: true } as const

/** Undefined for a word that is none. @throws Failure `invalid`. */
export function parseHeredocMark(word: string): HeredocMark | undefined {
  const [, , dash, rest] = /^(\d*)<<(-?)[\t\n\f\r ]*([^<]*)$/.exec(word) ?? []
  if (!rest) return undefined
  const words = expandWord(rest, nothing, options).words
  if (words.length !== 1) return undefined
  const raw = expandWord(rest, nothing, { ...options, rawQuotes: true }).words
  if (raw.length !== 1) throw invalid(`internal lexing of heredoc produced inconsistent results: ${rest}`)
  const quotes = (text: string) => text.match(/['"]/g)?.length ?? 0
  return { name: words[0]!, chomp: dash === '-', expand: quotes(words[0]!) === quotes(raw[0]!) }
}

/** Whether it is one, for a word that may be anything. */
export function heredocMarkOf(word: string): HeredocMark | undefined {
  try {
    return parseHeredocMark(word)
  } catch {
    // a quote without its end makes it a word as any other
    return undefined
  }
}

/** In the order they stand in the line. @throws Failure `invalid`. */
export function heredocMarks(line: string): readonly HeredocMark[] {
  let words: readonly string[]
  try {
    words = expandWord(line, nothing, { ...options, rawQuotes: true, rawEscapes: true }).words
  } catch {
    // a line whose quotes do not close has none
    return []
  }
  return words.flatMap(word => parseHeredocMark(word) ?? [])
}

export const withoutTabs = (content: string): string => content.replace(/^\t+/gm, '')

/** The text that a command is given. */
export const chomped = ({ chomp, content }: HeredocText): string => (chomp ? withoutTabs(content) : content)
