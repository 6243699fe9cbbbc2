/** What a Dockerfile says of itself, nothing being built: its warnings, its stages, what it may be given. */
import { type Failure, isFailure } from '../../../lib/failure.ts'
import type { ArgInstruction } from '../../dockerfile/instruction.ts'
import type { Lines } from '../../dockerfile/source-failure.ts'
import { Checks } from './checks.ts'
import { checksOf, type Evaluated, evaluate, type PlanRequest } from './evaluate.ts'
import type { BuildWarning } from './plan.ts'
import { readStages } from './read-stages.ts'
import type { Lookup } from './resolve-base.ts'
import { expandGlobals } from './stage-bases.ts'
import type { Node } from './stage-graph.ts'

export interface CheckResult {
  readonly warnings: readonly BuildWarning[]
  /** What a build of it would end with. */
  readonly error: Failure | undefined
}

/** All stages, unless a target is asked for. @throws Failure `unsupported` for a file that is not for us. */
export async function checkDockerfile(text: string, request: PlanRequest, lookup: Lookup): Promise<CheckResult> {
  const checks = checksOf(text, request)
  try {
    await evaluate(text, request, { lookup, checks, allStages: request.target === '' })
    checks.end()
    return { warnings: checks.warnings, error: undefined }
  } catch (error) {
    if (!isFailure(error)) throw error
    return { warnings: checks.warnings, error }
  }
}

export interface TargetEntry {
  readonly name: string | undefined
  readonly isDefault: boolean
  /** Of the comment above it. */
  readonly description: string | undefined
  /** As they are written. */
  readonly base: string
  readonly platform: string | undefined
  readonly lines: Lines
}

/** @throws Failure `invalid` for what is no Dockerfile. */
export function targetsOf(text: string): readonly TargetEntry[] {
  const { stages } = readStages(text, new Checks('skip=all'))
  return stages.map(({ from }, i) => ({
    name: from.stage,
    isDefault: i === stages.length - 1,
    description: from.stage === undefined ? undefined : described(from.comments, from.stage),
    base: from.base,
    platform: from.platform,
    lines: from.lines,
  }))
}

export interface Outline {
  readonly name: string | undefined
  readonly description: string | undefined
  readonly args: readonly OutlineArgument[]
  readonly secrets: readonly OutlineMount[]
  readonly ssh: readonly OutlineMount[]
}

export interface OutlineArgument {
  readonly name: string
  readonly value: string | undefined
  readonly description: string | undefined
  readonly lines: Lines
}

export interface OutlineMount {
  readonly name: string
  readonly required: boolean
  readonly lines: Lines
}

/** @throws as planBuild(). */
export async function outlineBuild(text: string, request: PlanRequest, lookup: Lookup): Promise<Outline> {
  const evaluated = await evaluate(text, request, { lookup, checks: checksOf(text, request) })
  const { from } = evaluated.target
  return {
    name: from?.stage,
    description: from?.stage === undefined ? undefined : described(from.comments, from.stage),
    args: argumentsOf(evaluated, request),
    secrets: mountsOf(evaluated, 'secret'),
    ssh: mountsOf(evaluated, 'ssh'),
  }
}

const byLines = (a: { readonly lines: Lines }, b: { readonly lines: Lines }): number => a.lines.first - b.lines.first

function argumentsOf(evaluated: Evaluated, request: PlanRequest): readonly OutlineArgument[] {
  const { written, globals, writer } = evaluated
  const above = new Map(written.args.flatMap(arg => entries(arg, name => globals.values.get(name))))
  const found = new Map<string, OutlineArgument>()
  const note = (argument: OutlineArgument | undefined) => {
    if (argument && !found.has(argument.name)) found.set(argument.name, argument)
  }
  for (const node of inOrder(evaluated)) {
    for (const name of usedByFrom(node, evaluated)) note(above.get(name))
    for (const { instruction } of node.commands) {
      if (instruction.name !== 'arg') continue
      for (const [name, argument] of entries(instruction, key => writer.argumentOf(node, key))) {
        const written = instruction.args.find(({ key }) => key === name)?.value
        const isInherited = written === undefined && !request.args.has(name) && globals.values.has(name)
        note(isInherited ? above.get(name) : argument)
      }
    }
  }
  return [...found.values()].sort(byLines)
}

/** The target first, whose word counts. */
const inOrder = ({ target, nodes }: Evaluated): readonly Node[] => [
  target,
  ...[...nodes].filter(each => each !== target),
]

function entries(
  { args, comments, lines }: ArgInstruction,
  lookUp: (name: string) => string | undefined,
): readonly (readonly [name: string, argument: OutlineArgument])[] {
  return args.map(({ key }) => [key, { name: key, value: lookUp(key), description: described(comments, key), lines }])
}

/** Arguments above the stages by which its base is chosen, and those by which they get their own values. */
function usedByFrom({ from }: Node, { globals, written }: Evaluated): ReadonlySet<string> {
  const used = new Set<string>()
  const use = (word: string) => {
    for (const name of expandGlobals(word, globals, written.escapeSign).used) {
      if (used.has(name)) continue
      used.add(name)
      const definition = written.args.flatMap(({ args }) => args).findLast(({ key }) => key === name)
      if (definition?.value !== undefined) use(definition.value)
    }
  }
  if (from) for (const word of [from.base, from.platform ?? '']) use(word)
  return used
}

function mountsOf({ plan }: Evaluated, kind: 'secret' | 'ssh'): readonly OutlineMount[] {
  const found = new Map<string, OutlineMount>()
  for (const step of plan.stages.flatMap(({ steps }) => steps)) {
    if (step.kind !== 'run') continue
    for (const mount of step.mounts) {
      if (mount.kind !== kind || found.has(mount.id)) continue
      found.set(mount.id, { name: mount.id, required: mount.required, lines: step.lines })
    }
  }
  return [...found.values()].sort(byLines)
}

/** "# name what it is" above it. */
function described(comments: readonly string[], name: string): string | undefined {
  return comments.find(comment => comment.startsWith(`${name} `))?.slice(name.length + 1)
}
