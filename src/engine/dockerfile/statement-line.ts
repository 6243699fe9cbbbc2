/** One line of a Dockerfile, continuations joined: its keyword, flags and arguments, each instruction by its own rule of words. */
import { invalid } from './source-failure.ts'
import { goQuote, isSpace, trim, trimStart } from './text.ts'

export interface Pair {
  readonly key: string
  readonly value: string
  /** `KEY the rest of the line`, as it was written long ago. */
  readonly legacy: boolean
}

export interface StatementLine {
  readonly keyword: string
  /** "--from=web", quotes taken off. */
  readonly flags: readonly string[]
  readonly args: readonly string[]
  /** Of ENV and LABEL, which have no `args`. */
  readonly pairs: readonly Pair[]
  /** The arguments were a list in JSON. */
  readonly json: boolean
  /** What stands behind ONBUILD. */
  readonly trigger: StatementLine | undefined
  /** As it was written, continuations joined. */
  readonly text: string
}

type Arguments = Partial<Pick<StatementLine, 'args' | 'pairs' | 'json' | 'trigger'>>

/** @throws Failure `invalid` in BuildKit's words. */
export function parseStatementLine(text: string, escapeSign: string): StatementLine {
  const [keyword, after] = cutAtBlanks(trim(text))
  const [flags, unread] = after === undefined ? [[], ''] : takeFlags(after, escapeSign)
  const rest = trim(unread)
  const read = Object.hasOwn(rules, keyword.toLowerCase()) ? rules[keyword.toLowerCase()]! : () => ({})
  return { keyword, flags, text, args: [], pairs: [], json: false, trigger: undefined, ...read(rest, escapeSign) }
}

const rules: Readonly<Record<string, (rest: string, escapeSign: string) => Arguments>> = {
  add: listOrWords,
  arg: (rest, escapeSign) => ({ args: quotedWords(rest, escapeSign) }),
  cmd: listOrText,
  copy: listOrWords,
  entrypoint: listOrText,
  env: (rest, escapeSign) => ({ pairs: pairs(rest, 'ENV', escapeSign) }),
  expose: plainWords,
  from: plainWords,
  healthcheck: rest => {
    const [type, command = ''] = /^(\S+)(?:\s+([\s\S]*))?$/.exec(rest)?.slice(1) ?? []
    if (type === undefined) return {}
    const { args = [], json } = listOrText(command)
    return { args: [type, ...args], json: json ?? false }
  },
  label: (rest, escapeSign) => ({ pairs: pairs(rest, 'LABEL', escapeSign) }),
  maintainer: wholeText,
  onbuild: (rest, escapeSign) => (rest === '' ? {} : { trigger: parseStatementLine(rest, escapeSign) }),
  run: listOrText,
  shell: listOrText,
  stopsignal: wholeText,
  user: wholeText,
  volume: listOrWords,
  workdir: wholeText,
}

const blanks = /[\t\v\f\r ]+/

function cutAtBlanks(text: string): readonly [head: string, rest: string | undefined] {
  const match = blanks.exec(text)
  return match ? [text.slice(0, match.index), text.slice(match.index + match[0].length)] : [text, undefined]
}

function wholeText(rest: string): Arguments {
  return rest === '' ? {} : { args: [rest] }
}

function plainWords(rest: string): Arguments {
  return rest === '' ? {} : { args: rest.split(blanks) }
}

function listOrText(rest: string): Arguments {
  const list = jsonList(rest)
  return list ? { args: list, json: true } : wholeText(rest)
}

function listOrWords(rest: string): Arguments {
  const list = jsonList(rest)
  return list ? { args: list, json: true } : plainWords(rest)
}

/** Undefined for what is no JSON: "[ -f x ] && y" is a command. @throws Failure `invalid` for a list of other things than strings. */
function jsonList(rest: string): readonly string[] | undefined {
  const text = trimStart(rest)
  if (!text.startsWith('[')) return undefined
  let data: unknown
  try {
    data = JSON.parse(text)
  } catch {
    // then it is a command of a shell
    return undefined
  }
  if (!Array.isArray(data) || !data.every(each => typeof each === 'string')) {
    throw invalid('when using JSON array syntax, arrays must be comprised of strings only')
  }
  // half of a surrogate pair is no character that anything could be called by
  return data.map(each => each.toWellFormed())
}

function pairs(rest: string, name: string, escapeSign: string): readonly Pair[] {
  const words = quotedWords(rest, escapeSign)
  if (words.length === 0) return []
  if (!words[0]!.includes('=')) {
    const [key, value] = cutAtBlanks(rest)
    if (value === undefined) throw invalid(`${name} must have two arguments`)
    return [{ key, value, legacy: true }]
  }
  return words.map(word => {
    const equals = word.indexOf('=')
    if (equals < 0) {
      throw invalid(`Syntax error - can't find = in ${goQuote(word)}. Must be of the form: name=value`)
    }
    return { key: word.slice(0, equals), value: word.slice(equals + 1), legacy: false }
  })
}

/** Split at blanks that are neither quoted nor escaped; quotes and escapes stay, for the expansion to take off. */
function quotedWords(text: string, escapeSign: string): readonly string[] {
  const words: string[] = []
  const chars = [...text]
  let word = ''
  let inside = false
  let quote: string | undefined
  for (let i = 0; i < chars.length; i++) {
    let char = chars[i]!
    if (quote === undefined && isSpace(char)) {
      if (inside) words.push(word)
      ;[word, inside] = ['', false]
      continue
    }
    if (char === quote) quote = undefined
    else if (quote === undefined && (char === '"' || char === "'")) {
      quote = char
      // even "" is a word
      inside = true
    }
    if (char === escapeSign && quote !== "'") {
      if (i + 1 === chars.length) break
      word += char
      char = chars[++i]!
    }
    word += char
    inside = true
  }
  if (inside) words.push(word)
  return words
}

/** Words at the beginning that begin with "--", up to a lone "--"; quotes and escapes are taken off. */
function takeFlags(text: string, escapeSign: string): readonly [flags: readonly string[], rest: string] {
  const flags: string[] = []
  let at = 0
  for (;;) {
    while (at < text.length && isSpace(text[at]!)) at++
    if (!text.startsWith('--', at)) return [flags, text.slice(at)]
    const [flag, end] = takeFlag(text, at, escapeSign)
    at = end
    if (flag === '--') return [flags, text.slice(at)]
    flags.push(flag)
  }
}

function takeFlag(text: string, start: number, escapeSign: string): readonly [flag: string, end: number] {
  let flag = ''
  let quote: string | undefined
  let at = start
  for (; at < text.length; at++) {
    let char = text[at]!
    if (quote === undefined && isSpace(char)) break
    if (char === quote) {
      quote = undefined
      continue
    }
    if (quote === undefined && (char === '"' || char === "'")) {
      quote = char
      continue
    }
    if (char === escapeSign) {
      if (at + 1 === text.length) continue
      char = text[++at]!
    }
    flag += char
  }
  return [flag, at]
}
