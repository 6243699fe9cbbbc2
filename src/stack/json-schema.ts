/** The grammar as JSON Schema 2020-12, for editors: it completes, explains, and says what this runtime does not honour. */
import { stack } from './fields.ts'
import type { NumberShape, Shape, TextShape } from './grammar.ts'

type Schema = Readonly<Record<string, unknown>>

/** What a target says of an attribute. */
interface Note {
  readonly path: string
  readonly level: 'honoured' | 'partly' | 'no'
  readonly note?: string
}

/** The whole schema, with what a target says of each attribute; `schemas/stack.schema.json` is its text. */
export function stackSchema(support: readonly Note[]): Schema {
  const writer = new Writer(support)
  const root = writer.write(stack, '')
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: 'tscompose-stack.schema.json',
    title: 'Stack',
    ...root,
    $defs: Object.fromEntries(writer.definitions),
  }
}

class Writer {
  readonly definitions = new Map<string, Schema>()
  readonly #names = new Map<Shape, string>()
  readonly #support: ReadonlyMap<string, Note>

  constructor(support: readonly Note[]) {
    this.#support = new Map(support.map(row => [row.path, row]))
  }

  write(shape: Shape, path: string): Schema {
    return { ...this.#described(shape, path), ...this.#typed(shape, path) }
  }

  #described(shape: Shape, path: string): Schema {
    const row = this.#support.get(path)
    const note =
      row && row.level !== 'honoured'
        ? `${row.level === 'no' ? 'Not honoured' : 'Honoured in part'} by tscompose: ${row.note}.`
        : undefined
    const description = [shape.doc, note].filter(Boolean).join(' ')
    return {
      ...(description && { description }),
      ...(shape.examples && { examples: shape.examples }),
      ...(shape.deprecated && { deprecated: true }),
      ...(row && row.level !== 'honoured' && { 'x-tscompose-support': row.level }),
    }
  }

  #typed(shape: Shape, path: string): Schema {
    switch (shape.kind) {
      case 'text':
        return textSchema(shape)
      case 'bool':
      case 'int':
      case 'float':
      case 'bytes':
      case 'duration':
        return numberSchema(shape)
      case 'list':
        return {
          type: 'array',
          items: this.write(shape.items, `${path}.*`),
          ...(shape.unique && !shape.key && { uniqueItems: true }),
        }
      case 'map': {
        const values = this.#reference(shape.values, `${path}.*`)
        if (!shape.names) return { type: 'object', additionalProperties: values }
        return {
          type: 'object',
          patternProperties: { [shape.names.source]: values },
          ...(!shape.open && { additionalProperties: false }),
        }
      }
      case 'object':
        return {
          type: 'object',
          properties: Object.fromEntries(
            Object.entries(shape.fields).map(([key, field]) => [
              key,
              this.write(field, path === '' ? key : `${path}.${key}`),
            ]),
          ),
          ...(shape.required && { required: shape.required }),
          ...(shape.extensions && { patternProperties: { '^x-': {} } }),
          ...(!shape.open && { additionalProperties: false }),
        }
      case 'choice':
        return { anyOf: shape.options.map(option => this.write(option, path)) }
      default:
        return { type: 'null' }
    }
  }

  /** What names map to becomes a definition: service, network, volume, … */
  #reference(shape: Shape, path: string): Schema {
    const name = /^(services|networks|volumes|secrets|configs|models)\.\*$/.exec(path)?.[1]
    if (!name) return this.write(shape, path)
    const definition = this.#names.get(shape) ?? name.replace(/s$/, '')
    if (!this.#names.has(shape)) {
      this.#names.set(shape, definition)
      this.definitions.set(definition, this.write(shape, path))
    }
    return { $ref: `#/$defs/${definition}` }
  }
}

function textSchema(shape: TextShape): Schema {
  const also = shape.also ?? []
  // A variable may stand where one of a few words is wanted.
  if (shape.values) return { anyOf: [{ enum: shape.values }, { type: 'string', pattern: '\\$' }] }
  if (shape.pattern) return { type: 'string', pattern: `${shape.pattern.source}|\\$` }
  return { type: also.length > 0 ? ['string', ...also] : 'string' }
}

function numberSchema(shape: NumberShape): Schema {
  const range = {
    ...(shape.min !== undefined && { minimum: shape.min }),
    ...(shape.max !== undefined && { maximum: shape.max }),
  }
  if (shape.kind === 'duration' || shape.textOnly) return { type: 'string' }
  const kind = shape.kind === 'bool' ? 'boolean' : shape.kind === 'int' && !shape.loose ? 'integer' : 'number'
  return { type: shape.strict ? kind : [kind, 'string'], ...range }
}
