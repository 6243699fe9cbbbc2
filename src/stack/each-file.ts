/** Each document by itself, before any merging: its variables filled in, checked, in long form; whatever is wrong with any of them is told at once. */
import { type Problem, Problems, ProblemsFailure } from '../lib/problems.ts'
import { canonical } from './canonical.ts'
import { stack } from './fields.ts'
import { finish } from './finish.ts'
import { interpolate } from './interpolate.ts'
import type { Reading } from './reading.ts'
import { checkSyntax } from './syntax.ts'
import { describe, get, type MapNode, type Node, placeOf, plain } from './tree.ts'

export interface LongForm {
  readonly tree: MapNode
  /** As it was written, where it includes others. */
  readonly raw: unknown
}

/** @param roots in merge order @throws ProblemsFailure */
export function longForms(roots: readonly Node[], reading: Reading): readonly LongForm[] {
  const { problems, lookup } = reading
  const checked = roots.map(root => check(root, reading))
  const forms = checked.map(root => {
    const raw = get(root, 'include') ? plain(root) : undefined
    const found = new Problems()
    const tree = canonical(root, stack, {
      problems: found,
      path: [],
      lenient: !lookup,
      asWritten: !lookup && roots.length === 1 && !extendsAny(root),
    }) as MapNode
    if (lookup) for (const problem of found.all) problems.add(problem)
    return { tree, raw, found }
  })
  // nothing will be merged: what is left to tell of each is whether its values can be read
  if (problems.hasErrors && lookup) for (const { tree, found } of forms) tellValues(without(tree, found.all), problems)
  problems.settle()
  return forms
}

/** What is wrong is told, and left out for those who go on looking. */
function check(root: Node, reading: Reading): MapNode {
  const { problems, lookup } = reading
  if (root.kind !== 'map') {
    problems.add({
      severity: 'error',
      code: 'wrong-type',
      place: placeOf(root),
      path: [],
      message: `Cannot use ${describe(root)} as a stack: the top of the file should be a mapping`,
    })
    throw new ProblemsFailure(problems.all)
  }
  // what stands there in place of a variable's value is not what anybody meant
  if (lookup) tell(root, problems, found => interpolate(root, lookup, { ...reading, problems: found }))
  tell(root, problems, found => checkSyntax(root, found))
  return root
}

function tell(tree: MapNode, problems: Problems, look: (found: Problems) => void): void {
  const found = new Problems()
  look(found)
  for (const problem of found.all) problems.add(problem)
  without(tree, found.all)
}

function tellValues(tree: MapNode, problems: Problems): void {
  const found = new Problems()
  finish(tree, stack, { problems: found, path: [] })
  for (const problem of found.all) if (problem.severity === 'error') problems.add(problem)
}

/** The attribute of a service (network, volume, …) that an error is in says nothing more. */
function without(tree: MapNode, found: readonly Problem[]): MapNode {
  for (const { severity, path } of found) if (severity === 'error') drop(tree, path.slice(0, 3))
  return tree
}

function drop(tree: MapNode, path: readonly string[]): void {
  const holder = get(tree, ...path.slice(0, -1))
  if (holder?.kind === 'map' && path.length > 0) holder.entries.delete(path.at(-1)!)
}

function extendsAny(root: Node): boolean {
  const services = get(root, 'services')
  return services?.kind === 'map' && [...services.entries.values()].some(service => get(service, 'extends'))
}
