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

/** Rows as left-aligned columns, `gap` blanks apart and no narrower than `least`, without trailing blanks; the first row is the heading. */
export function table(rows: readonly (readonly string[])[], { gap = 3, least = 0 } = {}): string {
  const widths: number[] = []
  // what stands last in its row needs no room
  for (const row of rows)
    for (const [i, cell] of row.slice(0, -1).entries()) widths[i] = Math.max(widths[i] ?? least, lengthOf(cell) + gap)
  return rows
    .map(row =>
      row
        .map((cell, i) => (i === row.length - 1 ? cell : cell + ' '.repeat(Math.max(0, widths[i]! - lengthOf(cell)))))
        .join('')
        .trimEnd(),
    )
    .join('\n')
}

function lengthOf(text: string): number {
  // by characters where there are any beyond ASCII
  return /^[\0-\x7f]*$/.test(text) ? text.length : [...text].length
}
