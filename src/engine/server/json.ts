/** A JSON body's text to data; what is wrong with it in the words of Go's decoder, which Docker's clients know. */
import { Failure } from '../../lib/failure.ts'

/** @throws Failure `invalid`. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Failure('invalid', trouble(text, (cause as Error).message), { cause })
  }
}

function trouble(text: string, message: string): string {
  const [, position] = /at position (\d+)/.exec(message) ?? []
  const at = position === undefined ? undefined : Number(position)
  if (message.startsWith('Unexpected non-whitespace character after JSON')) return 'unexpected content after JSON'
  if (/^(Unexpected end of|Unterminated string)/.test(message) || (at !== undefined && at >= text.trimEnd().length))
    return 'invalid JSON: unexpected EOF'
  const invalid = (character: string, where: string) =>
    `invalid JSON: invalid character ${quoted(character)} looking for beginning of ${where}`
  if (at !== undefined && /^Expected (property name|double-quoted property name)/.test(message))
    return invalid(text[at]!, 'object key string')
  const [, token] = /^Unexpected token '(.)'/su.exec(message) ?? []
  if (token !== undefined) return invalid(token, 'value')
  return `invalid JSON: ${message.slice(0, 300)}`
}

/** As Go writes a character: in single quotes, these escaped. */
function quoted(character: string): string {
  return character === "'" ? `'\\''` : `'${JSON.stringify(character).slice(1, -1).replace('\\"', '"')}'`
}
