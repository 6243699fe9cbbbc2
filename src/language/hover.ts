/** What is said of the key under the cursor: its documentation, with how far it is honoured, and examples. */
import { positionAt, wordAt } from './position.ts'
import { describedAt, type Schema } from './schema.ts'

export interface Hover {
  /** Markdown. */
  readonly text: string
  /** Columns from 0. */
  readonly from: number
  readonly to: number
}

export function hover(
  lines: readonly string[],
  { line, character }: { readonly line: number; readonly character: number },
  schema: Schema,
): Hover | undefined {
  const text = lines[line] ?? ''
  const { from, to, word } = wordAt(text, character)
  if (word === '' || /^\s*#/.test(text)) return undefined
  const position = positionAt(lines, line, to)
  const path = position.at === 'value' || text[to] !== ':' ? position.path : [...position.path, word]
  const keys = path.filter(key => key !== '-')
  const found = describedAt(schema, path.at(-1) === '-' ? path.slice(0, -1) : path)
  if (!found?.description) return undefined
  const examples = (found.examples ?? []).map(example => `\`${JSON.stringify(example)}\``)
  return {
    text: [
      `**${keys.join('.')}**`,
      found.description,
      ...(found.deprecated ? ['Deprecated.'] : []),
      ...(examples.length > 0 ? [`Examples: ${examples.join(', ')}`] : []),
    ].join('\n\n'),
    from,
    to,
  }
}
