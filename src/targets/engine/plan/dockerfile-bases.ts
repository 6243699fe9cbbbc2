/** The images a Dockerfile names, for the order in which images are built: a hint, the builder reads it for itself. */

/**
 * What FROM and `--from=` name, with the build arguments put in and the defaults of ARG before the first FROM; stages of the file itself are
 * among them, as is what stands in a text that only looks like an instruction.
 */
export function basesIn(text: string, args: Readonly<Record<string, string | null>>): readonly string[] {
  const values = new Map<string, string>()
  const found = new Set<string>()
  for (const line of logicalLines(text)) {
    const [word = '', ...rest] = line.trim().split(/\s+/)
    switch (word.toUpperCase()) {
      case 'ARG':
        if (found.size === 0) for (const each of rest) declare(values, each, args)
        break
      case 'FROM':
        add(
          found,
          expanded(
            rest.find(each => !each.startsWith('--')),
            values,
          ),
        )
        break
      case 'COPY':
      case 'RUN':
        for (const [, name] of line.matchAll(/\s--(?:from=|mount=\S*?\bfrom=)([^\s,]+)/g))
          add(found, expanded(name, values))
        break
    }
  }
  return [...found]
}

function declare(values: Map<string, string>, word: string, args: Readonly<Record<string, string | null>>): void {
  const at = word.indexOf('=')
  const name = at < 0 ? word : word.slice(0, at)
  const given = Object.hasOwn(args, name) ? args[name] : undefined
  const value = given ?? (at < 0 ? undefined : expanded(word.slice(at + 1).replace(/^(["'])(.*)\1$/, '$2'), values))
  if (value !== undefined) values.set(name, value)
}

function add(found: Set<string>, name: string | undefined): void {
  if (name !== undefined && name !== '' && name !== 'scratch') found.add(name)
}

/** With $NAME, ${NAME} and ${NAME:-default}; undefined when a name has no value. */
function expanded(word: string | undefined, values: ReadonlyMap<string, string>): string | undefined {
  let known = true
  const text = word?.replace(/\$(?:(\w+)|\{(\w+)(?::?-([^}]*))?\})/g, (_, bare, braced, fallback) => {
    const value = values.get(bare ?? braced) ?? fallback
    if (value === undefined) known = false
    return value ?? ''
  })
  return known ? text : undefined
}

/** Without comments, lines that go on joined. */
function logicalLines(text: string): readonly string[] {
  const goesOn = /^#\s*escape\s*=\s*`/im.test(text.slice(0, 1000)) ? '`' : '\\'
  const lines: string[] = []
  let open = ''
  for (const line of text.replace(/^\uFEFF/, '').split(/\r?\n/)) {
    if (/^\s*#/.test(line)) continue
    const end = line.trimEnd()
    if (end.endsWith(goesOn)) open += `${end.slice(0, -1)} `
    else {
      lines.push(open + line)
      open = ''
    }
  }
  if (open !== '') lines.push(open)
  return lines
}
