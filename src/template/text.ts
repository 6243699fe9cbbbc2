/** Values as Go's fmt prints them: `print`, `println` and `printf`. */

/** As `%v`: lists in brackets, maps as `map[k:v]`, structs in braces. */
export function display(value: unknown, inner = false): string {
  if (value === null || value === undefined) return inner ? '<nil>' : '<no value>'
  if (Array.isArray(value)) return `[${value.map(each => display(each, true)).join(' ')}]`
  if (value instanceof Map)
    return `map[${[...(value as Map<string, unknown>)]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]) => `${key}:${display(each, true)}`)
      .join(' ')}]`
  if (typeof value === 'object')
    return `{${members(value)
      .map(each => display(each, true))
      .join(' ')}}`
  return String(value)
}

/** The values of a struct, without its methods. */
function members(value: object): unknown[] {
  return Object.values(value).filter(each => typeof each !== 'function')
}

/** As `print`: a blank between two that are no strings. */
export function print(values: readonly unknown[]): string {
  let text = ''
  for (const [i, value] of values.entries())
    text += `${i > 0 && typeof value !== 'string' && typeof values[i - 1] !== 'string' ? ' ' : ''}${display(value, true)}`
  return text
}

/** `printf`: flags, width, precision and the verbs that make sense for what a row holds. */
export function printf(format: string, values: readonly unknown[]): string {
  let used = 0
  const text = format.replace(/%([-+# 0]*)(\d+|\*)?(?:\.(\d*|\*))?(.)/gsu, (_, flags, width, precision, verb) => {
    if (verb === '%') return '%'
    const star = (given: string | undefined) => (given === '*' ? String(values[used++] ?? 0) : given)
    const [wide, exact] = [star(width), star(precision)]
    if (used >= values.length) return `%!${verb}(MISSING)`
    const shown = verbText(verb, values[used++], { flags, exact })
    return shown === undefined ? wrong(verb, values[used - 1]) : pad(shown, flags, Number(wide ?? 0))
  })
  const extra = values.slice(used).map(each => `${typeName(each)}=${display(each, true)}`)
  return extra.length === 0 ? text : `${text}%!(EXTRA ${extra.join(', ')})`
}

function verbText(
  verb: string,
  value: unknown,
  { flags, exact }: { flags: string; exact: string | undefined },
): string | undefined {
  const sign = (text: string) => (flags.includes('+') && !text.startsWith('-') ? `+${text}` : text)
  const whole = typeof value === 'number' && Number.isInteger(value)
  switch (verb) {
    case 'v':
      return display(value, true)
    case 's':
      if (typeof value === 'number' || typeof value === 'boolean') return undefined
      return exact === undefined ? display(value, true) : [...display(value, true)].slice(0, Number(exact)).join('')
    case 'q':
      return typeof value === 'string' ? quote(value) : undefined
    case 'd':
      return whole ? sign(String(value)) : undefined
    case 't':
      return typeof value === 'boolean' ? String(value) : undefined
    case 'f':
    case 'F':
      return typeof value === 'number' ? sign(value.toFixed(exact === undefined ? 6 : Number(exact))) : undefined
    case 'g':
      return typeof value === 'number' ? sign(String(value)) : undefined
    case 'c':
      return whole ? String.fromCodePoint(value) : undefined
    case 'x':
    case 'X': {
      const text = whole
        ? value.toString(16)
        : typeof value === 'string'
          ? Buffer.from(value).toString('hex')
          : undefined
      return verb === 'X' ? text?.toUpperCase() : text
    }
    case 'o':
      return whole ? value.toString(8) : undefined
    case 'b':
      return whole ? value.toString(2) : undefined
    case 'T':
      return typeName(value)
    default:
      return undefined
  }
}

function wrong(verb: string, value: unknown): string {
  return `%!${verb}(${typeName(value)}=${display(value, true)})`
}

function typeName(value: unknown): string {
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float64'
  if (typeof value === 'boolean') return 'bool'
  if (Array.isArray(value)) return '[]interface {}'
  if (value instanceof Map) return 'map[string]string'
  return typeof value === 'string' ? 'string' : 'struct'
}

function pad(text: string, flags: string, width: number): string {
  const missing = width - [...text].length
  if (missing <= 0) return text
  if (flags.includes('-')) return text + ' '.repeat(missing)
  if (!flags.includes('0') || !/^[+-]?\d/.test(text)) return ' '.repeat(missing) + text
  const sign = /^[+-]/.test(text) ? 1 : 0
  return text.slice(0, sign) + '0'.repeat(missing) + text.slice(sign)
}

/** As Go's strconv.Quote: what cannot be printed is escaped. */
export function quote(text: string): string {
  const short: Readonly<Record<string, string>> = { '\x07': '\\a', '\v': '\\v' }
  return JSON.stringify(text).replace(/\\u00([01][\da-f])|[\x7f-\x9f]/g, (whole, code) => {
    const char = code === undefined ? whole : String.fromCharCode(Number.parseInt(code, 16))
    return short[char] ?? `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`
  })
}
