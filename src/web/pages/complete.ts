/** Completion in a stack file from its JSON Schema: which key or value may stand where the cursor is, by indentation. */

export interface Schema {
  readonly $ref?: string
  readonly $defs?: Readonly<Record<string, Schema>>
  readonly description?: string
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly patternProperties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: Schema | boolean
  readonly items?: Schema
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly examples?: readonly unknown[]
  readonly oneOf?: readonly Schema[]
  readonly anyOf?: readonly Schema[]
  readonly allOf?: readonly Schema[]
  readonly deprecated?: boolean
}

export interface Offer {
  readonly label: string
  /** What is put in its place. */
  readonly insert: string
  readonly info: string | undefined
  readonly kind: 'key' | 'value'
}

export interface Offers {
  /** Where the word that is completed begins. */
  readonly from: number
  readonly options: readonly Offer[]
}

/** Names that the file itself gives: what `depends_on` and the like refer to. */
export type Names = Readonly<
  Partial<Record<'services' | 'networks' | 'volumes' | 'secrets' | 'configs', readonly string[]>>
>

/** Undefined where nothing can be said: in a comment, or in what the schema leaves open. */
export function complete(text: string, at: number, schema: Schema, names: Names = {}): Offers | undefined {
  const start = text.lastIndexOf('\n', at - 1) + 1
  const line = text.slice(start, at)
  if (/(^|\s)#/.test(line)) return undefined
  const value = /^(\s*(?:- )*)([\w.-]+):\s+(\S*)$/.exec(line)
  if (value) {
    const [, lead, key, word] = value as unknown as [string, string, string, string]
    const path = [...pathAt(text, start, lead.length), key]
    return offered(at - word.length, values(schema, path, names))
  }
  const word = /^(\s*(?:- )*)([\w.-]*)$/.exec(line)
  if (!word) return undefined
  const [, lead, typed] = word as unknown as [string, string, string]
  const path = pathAt(text, start, lead.length)
  const isItem = lead.endsWith('- ')
  const found = isItem ? values(schema, [...path, '-'], names) : []
  const present = keysBeside(text, start, lead.length)
  const keys = keysOf(schema, isItem ? [...path, '-'] : path).filter(({ label }) => !present.has(label))
  return offered(at - typed.length, [...found, ...keys])
}

function offered(from: number, options: readonly Offer[]): Offers | undefined {
  return options.length === 0 ? undefined : { from, options }
}

/** Keys above a line, outermost first, "-" for an item of a list; what stands less far in than `indent` encloses it. */
export function pathAt(text: string, start: number, indent: number): readonly string[] {
  const path: string[] = []
  let inside = indent
  const lines = text.slice(0, start).split('\n')
  lines.pop()
  for (const line of lines.toReversed()) {
    if (/^\s*(#|$)/.test(line)) continue
    const [, lead, dashes, key] = /^(\s*)((?:- )*)([\w./-]+)?/.exec(line) as unknown as [
      string,
      string,
      string,
      string?,
    ]
    const column = lead.length + dashes.length
    if (column < inside && key !== undefined && /^[\w./-]+:/.test(line.slice(column))) {
      path.unshift(key)
      inside = column
    }
    if (dashes !== '' && lead.length < inside) {
      path.unshift('-')
      inside = lead.length + 1
    }
    if (inside === 0) break
  }
  return path
}

/** Keys of the same mapping, above and below. */
function keysBeside(text: string, start: number, indent: number): ReadonlySet<string> {
  const found = new Set<string>()
  const take = (lines: readonly string[]): void => {
    for (const line of lines) {
      if (/^\s*(#|$)/.test(line)) continue
      const column = line.search(/[^\s-]/)
      if (column < indent) return
      const key = /^([\w./-]+):/.exec(line.slice(column))?.[1]
      if (column === indent && key !== undefined) found.add(key)
    }
  }
  const above = text.slice(0, start).split('\n')
  above.pop()
  take(above.toReversed())
  take(text.slice(start).split('\n').slice(1))
  return found
}

function keysOf(root: Schema, path: readonly string[]): readonly Offer[] {
  const found = new Map<string, Offer>()
  for (const schema of schemasAt(root, path))
    for (const [name, raw] of Object.entries(schema.properties ?? {})) {
      const [property] = alternatives(root, raw)
      if (raw.deprecated || property?.deprecated || found.has(name)) continue
      const isBlock = alternatives(root, raw).every(each => each.type === 'object' || each.type === 'array')
      const info = raw.description ?? property?.description
      found.set(name, { label: name, insert: isBlock ? `${name}:` : `${name}: `, info, kind: 'key' })
    }
  return [...found.values()]
}

const named: Readonly<Record<string, keyof Names>> = {
  depends_on: 'services',
  networks: 'networks',
  secrets: 'secrets',
  configs: 'configs',
  service: 'services',
}

function values(root: Schema, path: readonly string[], names: Names): readonly Offer[] {
  const found = new Map<string, Offer>()
  const add = (value: unknown, info: string | undefined): void => {
    const label = typeof value === 'string' ? value : JSON.stringify(value)
    if (typeof value !== 'object' && !found.has(label)) found.set(label, { label, insert: label, info, kind: 'value' })
  }
  const last = path.at(-1) === '-' ? path.at(-2) : path.at(-1)
  const group = path[0] === 'services' && last !== undefined ? named[last] : undefined
  if (group && path.at(-1) === '-') for (const name of names[group] ?? []) add(name, undefined)
  for (const { enum: some, const: one, type, description, examples } of schemasAt(root, path)) {
    for (const value of some ?? []) add(value, description)
    if (one !== undefined) add(one, description)
    if (isTruth(type)) for (const value of [true, false]) add(value, description)
    for (const example of examples ?? []) add(example, description)
  }
  return [...found.values()]
}

/** A boolean, or text that stands for one; not what may be any scalar. */
function isTruth(type: Schema['type']): boolean {
  const types = [type].flat()
  return types.includes('boolean') && !types.includes('number')
}

/** All that may stand at a path. */
function schemasAt(root: Schema, path: readonly string[]): readonly Schema[] {
  let here = alternatives(root, root)
  for (const key of path) {
    here = here.flatMap(schema => {
      if (key === '-') return schema.items ? alternatives(root, schema.items) : []
      const own = schema.properties?.[key]
      if (own) return alternatives(root, own)
      const matching = Object.entries(schema.patternProperties ?? {}).filter(([pattern]) =>
        new RegExp(pattern).test(key),
      )
      if (matching.length > 0) return matching.flatMap(([, each]) => alternatives(root, each))
      const more = schema.additionalProperties
      return typeof more === 'object' ? alternatives(root, more) : []
    })
  }
  return here
}

function alternatives(root: Schema, schema: Schema, depth = 0): readonly Schema[] {
  if (depth > 8) return []
  const name = /^#\/\$defs\/(.+)$/.exec(schema.$ref ?? '')?.[1]
  const referred = name === undefined ? undefined : root.$defs?.[name]
  const others = [
    ...(schema.oneOf ?? []),
    ...(schema.anyOf ?? []),
    ...(schema.allOf ?? []),
    ...(referred ? [referred] : []),
  ]
  return [schema, ...others.flatMap(each => alternatives(root, each, depth + 1))]
}

/** What the text itself names, as well as indentation tells. */
export function namesIn(text: string): Names {
  const names: Record<string, string[]> = {}
  let section = ''
  let indent = 0
  for (const line of text.split('\n')) {
    const top = /^([a-z]+):/.exec(line)?.[1]
    if (top !== undefined) {
      section = top
      indent = 0
      continue
    }
    const match = /^(\s+)([\w.-]+):/.exec(line)
    if (!match) continue
    indent ||= match[1]!.length
    if (match[1]!.length === indent) names[section] = [...(names[section] ?? []), match[2]!]
  }
  return names as Names
}
