/** ${VAR:-default} in every scalar of a tree; keys are left alone. */
import type { Place, Problems } from '../lib/problems.ts'
import { type Lookup, substitute, TemplateError } from './template.ts'
import { type Node, placeAt, placeOf, type ScalarNode, type VariableUse } from './tree.ts'

/** A warning for each variable that is not set and has no default: one a name, at its first place, in Compose's words. */
export class UnsetVariables {
  readonly #seen = new Set<string>()
  readonly #problems: Problems

  constructor(problems: Problems) {
    this.#problems = problems
  }

  add(name: string, place: Place | undefined, path: readonly string[] = []): void {
    if (this.#seen.has(name)) return
    this.#seen.add(name)
    this.#problems.add({
      severity: 'warning',
      code: 'unset-variable',
      place,
      path: [...path],
      message: `The "${name}" variable is not set. Defaulting to a blank string.`,
    })
  }
}

/** Replaces variables in place. */
export function interpolate(
  root: Node,
  lookup: Lookup,
  { problems, origins, unset }: { problems: Problems; origins: ReadonlyMap<string, Place>; unset: UnsetVariables },
): void {
  const path: string[] = []
  const visit = (node: Node): void => {
    if (node.kind === 'scalar') {
      if (typeof node.value === 'string' && node.value.includes('$')) fill(node, node.value)
    } else if (node.kind === 'list') {
      for (const [index, item] of node.items.entries()) {
        path.push(String(index))
        visit(item)
        path.pop()
      }
    } else {
      for (const [key, member] of node.entries) {
        path.push(key)
        visit(member)
        path.pop()
      }
    }
  }
  const fill = (node: ScalarNode, template: string): void => {
    const used: VariableUse[] = []
    try {
      node.value = substitute(
        template,
        name => {
          const value = lookup(name)
          if (value === undefined) used.push({ name, value })
          else {
            const place = origins.get(name)
            used.push({ name, value, from: place ? place.file : 'the environment', place })
          }
          return value
        },
        (name, at) => unset.add(name, placeWithin(node, template, at), path),
      )
      node.template = template
      node.variables = used
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error
      problems.add({
        severity: 'error',
        code: 'interpolation',
        place: placeWithin(node, template, error.at),
        path: [...path],
        message: `Cannot fill in this value: ${error.message}`,
        hint: error.message.startsWith('required')
          ? 'Set it in the environment or in the .env file'
          : 'Write "$$" for a dollar sign',
      })
    }
  }
  visit(root)
}

/** The place of the variable itself when the value stands in the file as it is, otherwise of the value. */
function placeWithin(node: ScalarNode, template: string, at: number) {
  const { source, offset } = node
  if (!source) return undefined
  for (const start of [offset, offset + 1])
    if (source.text.startsWith(template, start)) return placeAt(source, start + at)
  return placeOf(node)
}
