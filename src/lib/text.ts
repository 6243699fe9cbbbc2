/** Small text shaping for messages and tables. */

/** Joins as a list in a sentence: "a", "a and b", "a, b and c". */
export function list(words: readonly string[], last = 'and'): string {
  if (words.length < 2) return words.join('')
  return `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1)}`
}

/** `plural(2, 'container')` → "2 containers". */
export function plural(count: number, noun: string, many = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : many}`
}

export function indent(text: string, by = '  '): string {
  return text.replace(/^(?=.)/gm, by)
}

/** Control characters (C0, DEL, C1) shown as \x1b, so that a name or log of a container cannot drive the terminal. */
export function printable(text: string): string {
  return text.replace(/[\0-\x08\x0b-\x1f\x7f-\x9f]/g, c => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`)
}

/** Rows as left-aligned columns, two spaces apart, no trailing blanks; the first row is the heading. */
export function table(rows: readonly (readonly string[])[], gap = 3): string {
  const widths: number[] = []
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length)
  return rows
    .map(row =>
      row
        .map((cell, i) => cell.padEnd(widths[i]! + gap))
        .join('')
        .trimEnd(),
    )
    .join('\n')
}
