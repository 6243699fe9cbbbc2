/** A Dockerfile's text, and what the build was asked for → its plan. Only images are looked up. */
import { Failure, messageOf } from '../../../lib/failure.ts'
import { findDirective } from '../../dockerfile/directives.ts'
import { atLines, movedTo } from '../../dockerfile/source-failure.ts'
import { machine, type Platform, parsePlatform } from '../../images/platform.ts'
import type { BuildRequest } from '../request.ts'
import { type GlobalArguments, globalArguments, plain, predefined, proxyEnv } from './arguments.ts'
import { Checks } from './checks.ts'
import { checkFrontend } from './frontend.ts'
import type { BuildPlan, BuildWarning } from './plan.ts'
import { readStages, readTrigger, type WrittenDockerfile } from './read-stages.ts'
import { BaseResolver, type Lookup } from './resolve-base.ts'
import type { Surroundings } from './scope.ts'
import { checkDefaultBases, stageGraph } from './stage-bases.ts'
import { type Command, checkCircles, type Node, reachable, type StageGraph } from './stage-graph.ts'
import { StageWriter } from './write-stage.ts'

export type PlanRequest = Pick<BuildRequest, 'args' | 'labels' | 'target' | 'platform' | 'namedContexts'>

export interface OnPlanning {
  /** Called once, when the text has been read as a whole: whatever is wrong from here on is told of what it needs. */
  readonly onRead?: () => void
  /** Told all that was found, also where the rest of it fails. */
  readonly onWarning?: (warning: BuildWarning) => void
}

/**
 * @param text of the Dockerfile.
 * @throws SourceFailure with the lines it is about, in BuildKit's words; Failure where it is about none.
 */
export async function planBuild(
  text: string,
  request: PlanRequest,
  lookup: Lookup,
  { onRead, onWarning }: OnPlanning = {},
): Promise<BuildPlan> {
  const checks = checksOf(text, request)
  try {
    const { plan } = await evaluate(text, request, { lookup, checks, onRead })
    checks.end()
    return plan
  } finally {
    for (const warning of checks.warnings) onWarning?.(warning)
  }
}

/** A plan, and what it was made of. */
export interface Evaluated {
  readonly plan: BuildPlan
  readonly written: WrittenDockerfile
  readonly globals: GlobalArguments
  readonly target: Node
  /** What the target needs. */
  readonly nodes: ReadonlySet<Node>
  readonly writer: StageWriter
}

interface Evaluating {
  readonly lookup: Lookup
  readonly checks: Checks
  /** Those that nothing needs, too. */
  readonly allStages?: boolean
  readonly onRead?: OnPlanning['onRead']
}

/** @throws as planBuild(). */
export async function evaluate(
  text: string,
  request: PlanRequest,
  { lookup, checks, allStages = false, onRead }: Evaluating,
): Promise<Evaluated> {
  const written = readStages(text, checks)
  const platforms = { build: plain(machine()), target: plain(targetPlatform(request.platform)) }
  const lastName = written.stages.at(-1)!.from.stage ?? ''
  const before = predefined(platforms, request.target || lastName, request.args)
  checkDefaultBases(written, before, checks)
  const globals = globalArguments(before, written.args, request.args, written.escapeSign)
  const graph = stageGraph(written, globals, new Set(request.namedContexts.keys()), checks)
  const target = graph.target(request.target)
  const own = [...graph.nodes]
  for (const [i, { instructions }] of written.stages.entries()) {
    own[i]!.commands = instructions.map(each => atLines(each.lines, () => graph.command(each, false)))
  }
  checkCircles(graph.nodes)
  onRead?.()
  const { isSingle } = graph
  const bases = new BaseResolver(lookup, request.namedContexts, platforms.target, graph.names())
  for (const node of graph.nodes) bases.checkName(node)
  const nodes = await resolveAll(graph, allStages ? own : [target], bases)
  const around: Surroundings = {
    escapeSign: written.escapeSign,
    globals,
    given: request.args,
    proxyEnv: proxyEnv(request.args),
    checks,
  }
  const ignored = checks.asksFor('CopyIgnoredFile') ? await lookup.ignored() : []
  const writer = new StageWriter(around, bases, { isSingle, ignored })
  const stages = own
    .filter(node => nodes.has(node) && (node.context === undefined || node === target))
    .map(node => writer.write(node))
  const stage = writer.stageOf(target)
  if (request.labels.size > 0) {
    stage.config.Labels = { ...stage.config.Labels, ...Object.fromEntries(request.labels) }
  }
  const plan = {
    stages: [...stages.filter(each => each !== stage), stage],
    target: stage,
    declared: declaredUpTo(target, own, globals),
    warnings: checks.warnings,
  }
  return { plan, written, globals, target, nodes, writer }
}

function declaredUpTo(target: Node, stages: readonly Node[], globals: GlobalArguments): ReadonlySet<string> {
  const commands = stages.slice(0, target.index + 1).flatMap(stage => stage.commands)
  const names = commands.flatMap(({ instruction }) =>
    instruction.name === 'arg' ? instruction.args.map(({ key }) => key) : [],
  )
  return new Set([...globals.declared, ...names])
}

function targetPlatform(text: string | undefined): Platform {
  return text ? parsePlatform(text) : machine()
}

/**
 * By the file's own word, unless the build was told another.
 * @throws Failure `unsupported` for a file that is not for us.
 */
export function checksOf(text: string, { args }: PlanRequest): Checks {
  checkFrontend(text, args.get('BUILDKIT_SYNTAX'))
  const asked = args.get('BUILDKIT_DOCKERFILE_CHECK')
  const directive = findDirective(text, 'check')
  if (asked !== undefined) return named('BUILDKIT_DOCKERFILE_CHECK', () => new Checks(asked))
  const checks = () => named('check options', () => new Checks(directive?.value ?? ''))
  return directive ? atLines(directive.lines, checks) : checks()
}

function named<T>(what: string, body: () => T): T {
  try {
    return body()
  } catch (error) {
    throw new Failure('invalid', `failed to parse ${what}: ${messageOf(error)}`, { cause: error })
  }
}

/** Bases of all that the target needs; triggers that come with them may need more. */
async function resolveAll(
  graph: StageGraph,
  targets: readonly Node[],
  bases: BaseResolver,
): Promise<ReadonlySet<Node>> {
  const triggered = new Set<Node>()
  for (;;) {
    const nodes = new Set<Node>()
    for (const target of targets) reachable(target, nodes)
    await Promise.all([...nodes].map(node => bases.resolve(node)))
    const fresh = [...nodes].filter(node => node.from && node.context === undefined && !triggered.has(node))
    if (fresh.length === 0) return nodes
    for (const node of fresh) {
      triggered.add(node)
      node.commands = [...triggersOf(node, graph, bases), ...node.commands]
    }
  }
}

function triggersOf(node: Node, graph: StageGraph, bases: BaseResolver): readonly Command[] {
  const written = node.base?.context === undefined ? (node.base?.commands ?? []) : []
  const texts = node.base
    ? written.flatMap(({ instruction }) => (instruction.name === 'onbuild' ? [instruction.trigger] : []))
    : bases.triggersOf(node)
  return texts.map(text => movedTo(node.lines, () => graph.command(readTrigger(text, node.from!), true)))
}
