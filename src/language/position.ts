/** Where in a stack a place of its text is: by columns of lines, so that it is known while a line is being written. */

export interface Position {
  /** Keys from the top, "-" for an entry of a list; with the key that the cursor is in, or behind. */
  readonly path: readonly string[]
  /** key: it may become a key of `path`, or an entry of it; value: it stands behind the last key of `path`. */
  readonly at: 'key' | 'value'
  /** What is written up to the cursor, and where that begins (from 0). */
  readonly word: string
  readonly start: number
  /** Keys that stand beside it already. */
  readonly beside: readonly string[]
}

interface Token {
  readonly column: number
  /** Undefined for the dash of a list. */
  readonly key: string | undefined
}

const keyPattern = /^(?:"([^"]*)"|'([^']*)'|([^\s#&*!|>'"{}[\],:-](?:[^:#]|:(?!\s|$))*?|<<))\s*:(?=\s|$)/

/** Dashes and the key of a line, from the left, and the column behind them. */
function tokensOf(line: string): { readonly tokens: readonly Token[]; readonly rest: number } {
  const tokens: Token[] = []
  let at = line.length - line.trimStart().length
  while (/^-(?:\s|$)/.test(line.slice(at))) {
    tokens.push({ column: at, key: undefined })
    at += 1
    at += line.slice(at).length - line.slice(at).trimStart().length
  }
  const key = keyPattern.exec(line.slice(at))
  if (!key) return { tokens, rest: at }
  tokens.push({ column: at, key: key[1] ?? key[2] ?? key[3]! })
  return { tokens, rest: at + key[0].length }
}

function isBlank(line: string): boolean {
  return /^\s*(?:#.*)?$/.test(line)
}

/** `line` and `character` from 0. */
export function positionAt(lines: readonly string[], line: number, character: number): Position {
  const before = (lines[line] ?? '').slice(0, character)
  const { tokens, rest } = tokensOf(before)
  const last = tokens.at(-1)
  if (last?.key === undefined) {
    const column = rest
    const { path, need } = upwards(lines, line, tokens, column)
    const flow = inFlow(before.slice(rest), rest)
    if (flow) return { ...flow, path: [...path, ...flow.path], beside: flow.beside }
    return { path, at: 'key', word: before.slice(rest), start: rest, beside: besides(lines, line, need) }
  }
  const own = upwards(lines, line, tokens.slice(0, -1), last.column).path
  const path = [...own, last.key]
  const gap = before.slice(rest)
  const flow = inFlow(gap.trimStart(), character - gap.trimStart().length)
  if (flow) return { ...flow, path: [...path, ...flow.path] }
  const word = gap.trimStart()
  return { path, at: 'value', word, start: character - word.length, beside: [] }
}

/** The keys and lists that `column` of a line stands in; `own` are those that stand before it on its line. */
function upwards(
  lines: readonly string[],
  line: number,
  own: readonly Token[],
  column: number,
): { readonly path: readonly string[]; readonly need: number } {
  const path: string[] = []
  let need = column
  let wasDash = false
  const take = (tokens: readonly Token[]) => {
    for (const token of tokens.toReversed()) {
      if (token.column > need || (token.column === need && !(wasDash && token.key !== undefined))) continue
      path.unshift(token.key ?? '-')
      need = token.column
      wasDash = token.key === undefined
    }
  }
  take(own)
  for (let above = line - 1; above >= 0 && (need > 0 || wasDash); above--) {
    const text = lines[above]!
    if (!isBlank(text)) take(tokensOf(text).tokens)
  }
  return { path, need: column }
}

/** Keys at the same column in the same mapping. */
function besides(lines: readonly string[], line: number, column: number): readonly string[] {
  const found: string[] = []
  for (const step of [-1, 1])
    for (let at = line + step; at >= 0 && at < lines.length; at += step) {
      if (isBlank(lines[at]!)) continue
      const { tokens } = tokensOf(lines[at]!)
      const key = tokens.find(token => token.key !== undefined && token.column === column)
      if (key) found.push(key.key!)
      const first = lines[at]!.length - lines[at]!.trimStart().length
      if (first < column) break
    }
  return found
}

/** Within `[a, b` and `{k: v, ` of one line, as far as it is written. */
function inFlow(text: string, offset: number): Position | undefined {
  if (!/^[[{]/.test(text)) return undefined
  const stack: { readonly list: boolean; key: string | undefined; readonly keys: string[] }[] = []
  let start = 0
  let quote = ''
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!
    if (quote !== '') {
      if (char === quote) quote = ''
      continue
    }
    if (char === '"' || char === "'") quote = char
    else if (char === '[' || char === '{') {
      stack.push({ list: char === '[', key: undefined, keys: [] })
      start = at + 1
    } else if (char === ']' || char === '}') {
      stack.pop()
      if (stack.length === 0) return undefined
      start = at + 1
    } else if (char === ',') {
      const top = stack.at(-1)!
      top.key = undefined
      start = at + 1
    } else if (char === ':' && /\s|^$/.test(text[at + 1] ?? '')) {
      const top = stack.at(-1)!
      if (!top.list) {
        top.key = text
          .slice(start, at)
          .trim()
          .replace(/^(["'])(.*)\1$/, '$2')
        top.keys.push(top.key)
        start = at + 1
      }
    }
  }
  const word = text.slice(start).trimStart()
  const path = stack.flatMap(({ list, key }) => (list ? ['-'] : key === undefined ? [] : [key]))
  const top = stack.at(-1)!
  const at = top.list || top.key === undefined ? 'key' : 'value'
  return { path, at, word, start: offset + text.length - word.length, beside: top.list ? [] : top.keys }
}

/** The key, or the word of a value, that a place of the text is in; from and to are columns from 0. */
export function wordAt(
  line: string,
  character: number,
): { readonly word: string; readonly from: number; readonly to: number } {
  const isWord = (char: string | undefined) => char !== undefined && /[^\s,[\]{}"'#]/.test(char)
  let [from, to] = [character, character]
  while (from > 0 && isWord(line[from - 1])) from--
  while (isWord(line[to])) to++
  // the colon ends a key
  if (line[to - 1] === ':') to--
  return { word: line.slice(from, Math.max(from, to)), from, to: Math.max(from, to) }
}
