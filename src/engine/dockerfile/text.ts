/** Small things of the language that are Go's: what is white space, how text is quoted in messages and histories. */

/** unicode.IsSpace of one character. */
export const isSpace = (char: string): boolean =>
  /^[\t-\r \x85\xA0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]$/u.test(char)

export function trimStart(text: string): string {
  let start = 0
  while (start < text.length && isSpace(text[start]!)) start++
  return text.slice(start)
}

export function trim(text: string): string {
  let end = text.length
  while (end > 0 && isSpace(text[end - 1]!)) end--
  return trimStart(text.slice(0, end))
}

const short: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
}

/** strconv.Quote: `%q` of a string. */
export function goQuote(text: string): string {
  return `"${[...text].map(char => (char === '"' ? '\\"' : escaped(char))).join('')}"`
}

/** `%q` of a number: the character of that code point, in single quotes. */
export function goQuoteRune(code: number): string {
  const valid = code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff)
  const char = String.fromCodePoint(valid ? code : 0xfffd)
  return `'${char === "'" ? "\\'" : escaped(char)}'`
}

/** `%q` of a list of strings: `["a" "b"]`. */
export function goQuoteList(texts: readonly string[]): string {
  return `[${texts.map(goQuote).join(' ')}]`
}

function escaped(char: string): string {
  const known = short[char]
  if (known !== undefined) return known
  const code = char.codePointAt(0)!
  if (code === 0x20 || /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(char)) return char
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`
  return code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
}
