/** What the schema of stacks says at a path of it. */

export interface Schema {
  readonly description?: string
  readonly examples?: readonly unknown[]
  readonly deprecated?: boolean
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly patternProperties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: boolean | Schema
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly $ref?: string
  readonly $defs?: Readonly<Record<string, Schema>>
  readonly 'x-tscompose-support'?: string
}

/** Every alternative that may stand at `path`; "-" is an entry of a list. */
export function schemasAt(root: Schema, path: readonly string[]): readonly Schema[] {
  let found = alternatives(root, root)
  for (const key of path) found = found.flatMap(schema => below(schema, key)).flatMap(next => alternatives(root, next))
  return found
}

/** The schema of the key itself, with its own description. */
export function describedAt(root: Schema, path: readonly string[]): Schema | undefined {
  const parents = schemasAt(root, path.slice(0, -1))
  const own = parents.flatMap(schema => below(schema, path.at(-1) ?? ''))
  return own.map(schema => resolved(root, schema)).find(({ description }) => description !== undefined) ?? own[0]
}

function below(schema: Schema, key: string): readonly Schema[] {
  if (key === '-') return schema.items ? [schema.items] : []
  const { properties = {}, patternProperties = {}, additionalProperties } = schema
  if (Object.hasOwn(properties, key)) return [properties[key]!]
  const patterns = Object.entries(patternProperties).filter(([pattern]) => new RegExp(pattern).test(key))
  if (patterns.length > 0) return patterns.map(([, each]) => each)
  return typeof additionalProperties === 'object' ? [additionalProperties] : []
}

function resolved(root: Schema, schema: Schema): Schema {
  const name = schema.$ref === undefined ? undefined : /^#\/\$defs\/(.+)$/.exec(schema.$ref)?.[1]
  const target = name === undefined ? undefined : root.$defs?.[name]
  return target
    ? { ...target, ...(schema.description === undefined ? {} : { description: schema.description }) }
    : schema
}

function alternatives(root: Schema, schema: Schema): readonly Schema[] {
  const own = resolved(root, schema)
  return own.anyOf ? own.anyOf.flatMap(each => alternatives(root, each)) : [own]
}
