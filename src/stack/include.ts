/** include: other stacks, each with its own folder and variables, whose resources become part of this one. */
import { dirname } from 'node:path'
import { Problems, ProblemsFailure } from '../lib/problems.ts'
import { envFilePaths, fill, type Origins, readEnvFiles } from './env.ts'
import { absolute } from './paths.ts'
import { whyMissing } from './read.ts'
import type { Reading } from './reading.ts'
import { get, isNull, type MapNode, map, type Node, placeOf, plain, showPlace } from './tree.ts'

const sections = ['services', 'networks', 'volumes', 'secrets', 'configs', 'models']

interface IncludeContext extends Reading {
  readonly directory: string
  /** The including file as it was written: what it defines must be written the same as what is included. */
  readonly raw: unknown
  /** Files being read, outermost first, for cycles. */
  readonly including: readonly string[]
  /** Loads files as a stack of its own: merged, in long form, its paths absolute. */
  load(
    paths: readonly string[],
    reading: Reading & { directory: string; including: readonly string[]; via: readonly string[] },
  ): MapNode
}

interface Included {
  /** What includes it. */
  readonly item: Node
  readonly stack: MapNode
}

/** Takes `include` out of `root`: the stacks that it names. What is wrong with one is told, and the others are read all the same. */
export function readIncluded(root: MapNode, context: IncludeContext): readonly Included[] {
  const included = root.entries.get('include')
  root.entries.delete('include')
  if (included?.kind !== 'list') return []
  return included.items.flatMap((item, index) => {
    const stack = loadOne(item, ['include', String(index)], context)
    return stack ? [{ item, stack }] : []
  })
}

/** Adds the resources of every included stack to `root`; what both define must be the same. */
export function importIncluded(root: MapNode, included: readonly Included[], context: IncludeContext): void {
  for (const { item, stack } of included) importInto(root, stack, { item, context })
}

function loadOne(item: Node, path: readonly string[], context: IncludeContext): MapNode | undefined {
  const { files, problems, home } = context
  const refuse = (code: string, message: string): undefined => {
    problems.add({ severity: 'error', code, place: placeOf(item), path, message })
    return undefined
  }
  const named = texts(item.kind === 'scalar' ? item : get(item, 'path'))
  if (named.length === 0) {
    const message = 'This includes nothing: "path" is not set'
    problems.add({ severity: 'warning', code: 'missing-key', place: placeOf(item), path, message })
    return undefined
  }
  const remote = named.find(name => /^(?:oci:\/\/|https?:\/\/|git@|git:\/\/|ssh:\/\/)/.test(name))
  if (remote) return refuse('unsupported', `Cannot include "${remote}": stacks of other machines are not supported yet`)
  const paths = named.map(name => absolute(name, { directory: context.directory, home }))
  const missing = paths.findIndex(file => !files.isFile(file))
  if (missing >= 0) {
    return refuse('missing-file', `Cannot include "${named[missing]}": ${whyMissing(paths[missing]!, files)}`)
  }
  if (context.including.includes(paths[0]!))
    return refuse(
      'include-cycle',
      `Cannot include in a circle: ${[...context.including, paths[0]!].map(file => shown(file, context)).join(' → ')}`,
    )
  const own = texts(get(item, 'project_directory'))[0]
  const directory = own ? folderOf(absolute(own, { directory: context.directory, home }), files) : dirname(paths[0]!)
  const envFiles = texts(get(item, 'env_file'))
  const envPaths =
    envFiles.length > 0
      ? envFiles.map(file => (file === '/dev/null' ? file : absolute(file, { directory: context.directory, home })))
      : envFilePaths(undefined, directory, { ...context, environment: new Map() })
  const absent = envPaths.find(file => file !== '/dev/null' && !files.isFile(file))
  if (absent !== undefined) return refuse('missing-file', `Cannot find env file "${shown(absent, context)}"`)
  const found = new Problems()
  try {
    const read: Origins = new Map()
    const variables = readEnvFiles(envPaths, name => context.environment.get(name), { ...context, origins: read })
    const environment = fill(context.environment, variables)
    const origins = new Map(context.origins)
    for (const [name, place] of read) if (!context.environment.has(name)) origins.set(name, place)
    return context.load(paths, {
      ...context,
      problems: found,
      environment,
      origins,
      lookup: context.lookup && (name => environment.get(name)),
      directory,
      including: [...context.including, paths[0]!],
      via: [`included by ${showPlace(placeOf(item))}`, ...(item.source?.via ?? [])],
    })
  } catch (error) {
    if (!(error instanceof ProblemsFailure)) throw error
    problems.addAll(error.problems)
    return undefined
  } finally {
    problems.addAll(found.all)
  }
}

/** A project directory that is no folder stands for the one it is in, as in the reference. */
function folderOf(path: string, files: IncludeContext['files']): string {
  return files.isDirectory(path) ? path : dirname(path)
}

function shown(file: string, context: IncludeContext): string {
  return file.startsWith(`${context.cwd}/`) ? file.slice(context.cwd.length + 1) : file
}

function texts(node: Node | undefined): string[] {
  if (!node || isNull(node)) return []
  const items = node.kind === 'list' ? node.items : [node]
  return items.flatMap(item => (item.kind === 'scalar' && typeof item.value === 'string' ? [item.value] : []))
}

function importInto(root: MapNode, stack: MapNode, { item, context }: { item: Node; context: IncludeContext }): void {
  for (const section of sections) {
    const from = stack.entries.get(section)
    if (from?.kind !== 'map') continue
    let to = root.entries.get(section)
    if (to?.kind !== 'map') {
      to = map(new Map(), item)
      root.entries.set(section, to)
    }
    for (const [name, resource] of from.entries) {
      const own = to.entries.get(name)
      if (!own) to.entries.set(name, resource)
      else if (readsDifferently(context.raw, [section, name], own) || !same(own, resource))
        context.problems.add({
          severity: 'error',
          code: 'include-conflict',
          place: placeOf(own, 'key'),
          path: [section, name],
          message: `Cannot define "${name}" here: it is already defined at ${showPlace(placeOf(resource, 'key'))}, which ${showPlace(placeOf(item))} includes`,
        })
    }
  }
}

/** Fields that the reference compares as they were written, where it has the long form of what is included. */
const compared = [
  'external',
  'file',
  'environment',
  'ports',
  'volumes',
  'env_file',
  'build',
  'depends_on',
  'networks',
  'secrets',
  'configs',
  'devices',
]

/** Whether the including file itself defines a resource in a short form, or by a path or variable that an included file has resolved. */
function readsDifferently(raw: unknown, path: readonly string[], own: Node): boolean {
  const within = (value: unknown, key: string): unknown =>
    value !== null && typeof value === 'object' && Object.hasOwn(value, key)
      ? (value as Record<string, unknown>)[key]
      : undefined
  const written = path.reduce(within, raw)
  if (written === undefined) return false
  const isFile = path[0] === 'secrets' || path[0] === 'configs'
  return compared.some(key => {
    const value = within(written, key)
    if (value === undefined || (key === 'environment' && !isFile)) return false
    if (key === 'environment') return true
    const long = get(own, key)
    return JSON.stringify(ordered(value)) !== JSON.stringify(ordered(long && plain(long)))
  })
}

/** Whether two resources say the same, in whatever order. */
function same(a: Node, b: Node): boolean {
  return JSON.stringify(ordered(plain(a))) === JSON.stringify(ordered(plain(b)))
}

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered)
  if (value === null || typeof value !== 'object') return value
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => [key, ordered(member)])
}
