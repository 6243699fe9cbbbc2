/** What may be written at a place of a stack: keys and words of the schema, and names that the stack gives. */
import { anchorsIn, namesIn, referenceAt, type Section } from './names.ts'
import { type Position, positionAt } from './position.ts'
import { type Schema, schemasAt } from './schema.ts'

export interface Proposal {
  readonly label: string
  readonly kind: 'key' | 'word' | 'name'
  /** What is put in the place of the columns from `start` to the cursor. */
  readonly text: string
  readonly start: number
  readonly about: string | undefined
  readonly deprecated: boolean
}

export interface CompletionContext {
  readonly schema: Schema
  /** Names that other files of the stack give. */
  readonly others?: (section: Section) => Iterable<string>
}

/** `line` and `character` from 0. */
export function complete(
  lines: readonly string[],
  { line, character }: { readonly line: number; readonly character: number },
  context: CompletionContext,
): readonly Proposal[] {
  if (/(?:^|\s)#/.test((lines[line] ?? '').slice(0, character))) return []
  const position = positionAt(lines, line, character)
  if (position.word.startsWith('*')) return aliases(lines, position)
  const names = namesAt(lines, position, context)
  if (position.at === 'value') return [...names, ...words(position, context.schema, position.path)]
  return [...names, ...keys(position, context.schema), ...words(position, context.schema, position.path)]
}

function proposal(position: Position, given: Pick<Proposal, 'label' | 'kind'> & Partial<Proposal>): Proposal {
  return { text: given.label, start: position.start, about: undefined, deprecated: false, ...given }
}

function aliases(lines: readonly string[], position: Position): readonly Proposal[] {
  return [...new Set(anchorsIn(lines))].map(name => proposal(position, { label: `*${name}`, kind: 'name' }))
}

function keys(position: Position, schema: Schema): readonly Proposal[] {
  const found = new Map<string, Proposal>()
  for (const each of schemasAt(schema, position.path))
    for (const [label, property] of Object.entries(each.properties ?? {}))
      if (!position.beside.includes(label) && !found.has(label))
        found.set(
          label,
          proposal(position, {
            label,
            kind: 'key',
            text: isBlock(schema, [...position.path, label]) ? `${label}:` : `${label}: `,
            about: property.description,
            deprecated: property.deprecated === true,
          }),
        )
  return [...found.values()]
}

/** A boolean, or text that stands for one; not what may be any scalar. */
function isTruth(type: Schema['type']): boolean {
  const types = [type].flat()
  return types.includes('boolean') && !types.includes('number')
}

/** It stands on lines of its own, below its key. */
function isBlock(schema: Schema, path: readonly string[]): boolean {
  const found = schemasAt(schema, path).flatMap(each => each.type ?? 'unknown')
  return found.length > 0 && found.every(type => type === 'object' || type === 'array')
}

function words(position: Position, schema: Schema, path: readonly string[]): readonly Proposal[] {
  const found = new Set<string>()
  for (const each of schemasAt(schema, path)) {
    for (const value of each.enum ?? []) if (value !== null) found.add(String(value))
    if (isTruth(each.type)) for (const value of ['true', 'false']) found.add(value)
    for (const example of each.examples ?? []) if (typeof example !== 'object') found.add(String(example))
  }
  return [...found].map(label => proposal(position, { label, kind: 'word' }))
}

function namesAt(lines: readonly string[], position: Position, { others }: CompletionContext): readonly Proposal[] {
  const { path, at, beside, word } = position
  const asKey = at === 'key' && path.at(-1) !== '-'
  const reference = referenceAt(path, asKey)
  if (!reference) return []
  const { section, before = '', until = '' } = reference
  // behind the colon of a volume there is a path
  if (until !== '' && word.includes(until)) return []
  const known = new Set([...namesIn(lines).get(section)!.keys(), ...(others?.(section) ?? [])])
  // nothing depends on itself
  if (section === 'services') known.delete(path[1]!)
  return [...known]
    .filter(name => !beside.includes(name))
    .map(name =>
      proposal(position, { label: `${before}${name}`, kind: 'name', text: `${before}${name}${asKey ? ':' : until}` }),
    )
}
