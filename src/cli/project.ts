/** Global options → the project, its name alone where that is enough, and what is observed of it. */
import { Failure } from '../lib/failure.ts'
import { type Problem, ProblemsFailure } from '../lib/problems.ts'
import { list } from '../lib/text.ts'
import type { Project } from '../model/project.ts'
import type { LoadedStack, LoadOptions } from '../stack/load.ts'
import type { Isolated } from '../state/isolated.ts'
import type { Call } from './command.ts'
import { isolationOf } from './isolation.ts'
import { quickProject } from './project-name.ts'

/** How a command reads the stack, beyond the global options. */
export interface LoadChoices
  extends Pick<LoadOptions, 'services' | 'selected' | 'interpolate' | 'normalize' | 'resolvePaths' | 'consistency'> {
  /**
   * What is made of the stack: containers of these services, and of what they depend on unless `alone`. What blocks them is
   * an error, and their env files are read. `text`: the stack is shown whole. Undefined: nothing.
   */
  readonly making?: 'text' | { readonly services: 'all' | readonly string[]; readonly alone?: boolean }
  /** --isolated: under a name of its own, though it was not before. */
  readonly isolated?: boolean
  /** With the host ports of its files, whatever was chosen for it before. */
  readonly portsOfFiles?: boolean
  /** --adopt: under the name of its files, though it had one of its own. */
  readonly adopt?: boolean
  /** Images are those of compose.lock, where there is one; what makes containers does so anyway. */
  readonly locked?: boolean
  /** Told of every file that is read, or looked for in vain; also when reading fails. */
  readonly onRead?: (path: string) => void
  /** What an editor holds of files, by absolute path: read instead of them. */
  readonly unsaved?: ReadonlyMap<string, string> | undefined
  /** Takes the warnings, which are said otherwise. */
  readonly onWarnings?: (warnings: readonly Problem[]) => void
}

/** `isolated`: it has a name of its own, and host ports that may be others than its files say. */
export type Loaded = LoadedStack & {
  readonly isolated?: Isolated | undefined
  /** Networks whose subnets are left to the engine for that. */
  readonly unpinned?: readonly string[] | undefined
}

/**
 * Reads the stack; its warnings go to stderr, and with --strict they end the command.
 *
 * @throws ProblemsFailure
 */
export async function loadProject(call: Call, choices: LoadChoices = {}): Promise<Loaded> {
  const loaded = await readProject(call, choices)
  if (!(choices.locked ?? typeof choices.making === 'object')) return loaded
  const { withLock, lockName, lockPath } = await import('./lock-file.ts')
  choices.onRead?.(lockPath(loaded.project))
  const { loaded: pinned, missing } = await withLock(loaded)
  for (const image of missing) call.screen.warn(`${lockName} does not have "${image}": run "tscompose lock"`)
  return { ...pinned, isolated: loaded.isolated, unpinned: loaded.unpinned }
}

async function readProject(call: Call, choices: LoadChoices): Promise<Loaded> {
  // yaml and zod come with it: only here, so that ps, logs and exec start without them
  const { loadStack } = await import('../stack/load.ts')
  const { making, locked: _, isolated, adopt, portsOfFiles, onWarnings, ...phases } = choices
  const options = { ...loadOptions(call), ...phases, ...readFor(making) }
  const loaded = await isolatedStack(call, await loadStack(options), {
    isolated,
    adopt,
    portsOfFiles,
    again: projectName => loadStack({ ...options, projectName }),
  })
  const warnings = await allWarnings(call, loaded, making)
  if (warnings.length === 0) return loaded
  const made = typeof making === 'object' ? await madeServices(loaded.project, making) : undefined
  const isError = (warning: Problem) =>
    call.globals.strict ||
    (made && warning.blocks?.every(service => made.has(service))) ||
    // what nobody could bring up together is no text of a stack either
    (making === 'text' && warning.code === 'name-clash' && isWhole(loaded, warning))
  if (warnings.some(isError))
    throw new ProblemsFailure(warnings.map(each => (isError(each) ? { ...each, severity: 'error' as const } : each)))
  if (onWarnings) {
    onWarnings(warnings)
    return loaded
  }
  const { problemsText } = await import('./failures.ts')
  call.screen.say(`${problemsText(warnings, call.screen.paintStatus)}\n`)
  if (call.globals.annotations !== undefined) {
    const { annotationsOf, problemNotes } = await import('./annotations.ts')
    problemNotes(warnings).forEach(annotationsOf(call).note)
  }
  return loaded
}

interface Isolating extends Pick<LoadChoices, 'isolated' | 'adopt' | 'portsOfFiles'> {
  /** Reads it once more, under another name. */
  again(projectName: string): Promise<LoadedStack>
}

/** The stack under the name that it has in this folder. */
async function isolatedStack(call: Call, loaded: LoadedStack, isolating: Isolating): Promise<Loaded> {
  const { isolated, adopt, portsOfFiles, again } = isolating
  const { directory, name, files } = loaded.project
  // what comes from a pipe cannot be read twice, and is of no folder
  if (adopt || files.includes('-')) return loaded
  const found = isolationOf(call, { directory, name, isolated })
  if (!found) return loaded
  const { isolate, unpinnedNetworks, withPorts } = await import('../model/isolate.ts')
  const own = await again(found.name)
  const project = isolate(own.project, found.suffix)
  const unpinned = unpinnedNetworks(own.project)
  return { ...own, project: portsOfFiles ? project : withPorts(project, found.ports), isolated: found, unpinned }
}

/** Whether all that it is about is among what was asked for. */
function isWhole({ project }: LoadedStack, { blocks = [] }: Problem): boolean {
  return blocks.every(service => Object.hasOwn(project.services, service))
}

/** Those of the reader, and of the target when something is made, or might be. */
async function allWarnings(
  call: Call,
  loaded: LoadedStack,
  making: LoadChoices['making'],
): Promise<readonly Problem[]> {
  if (making === undefined) return loaded.warnings
  const { supportWarnings, warningsThere } = await import('./support-warnings.ts')
  return [
    ...(await warningsThere(call, loaded.warnings)),
    ...(await supportWarnings(call, loaded, { ask: making !== 'text' })),
  ]
}

type Making = Exclude<LoadChoices['making'], 'text' | undefined>

/** Whose env files are read: of all, of none, or of what is made. */
function readFor(making: LoadChoices['making']): Pick<LoadOptions, 'making'> {
  if (making === undefined) return { making: { services: [] } }
  if (making === 'text' || making.services === 'all') return {}
  return { making: { services: making.services, alone: making.alone } }
}

async function madeServices(project: Project, { services, alone }: Making): Promise<ReadonlySet<string>> {
  if (services === 'all') return new Set(Object.keys(project.services))
  if (alone) return new Set(services)
  const { serviceGraph } = await import('../graph/services.ts')
  return serviceGraph(project).closure(services)
}

/** The project's name, without reading the stack where it can be known without. */
export async function projectName(call: Call): Promise<string> {
  const quick = quickProject(loadOptions(call))
  if (quick === undefined) return (await loadProject(call)).project.name
  const { name, directory } = quick
  return (directory === undefined ? undefined : isolationOf(call, { name, directory })?.name) ?? name
}

/** The folder of the stack, though its files be broken, where they are what is meant; undefined for a project that is named alone. */
export async function folderOf(call: Call): Promise<string | undefined> {
  const quick = quickProject(loadOptions(call))
  if (quick?.directory !== undefined) return quick.directory
  const target = await projectOrName({ ...call, args: [] })
  return 'services' in target ? target.directory : undefined
}

/**
 * The project as its file says, with the services that are named; by its name alone where -p gives it and -f no file, or where the
 * file cannot be used and COMPOSE_PROJECT_NAME says which project is meant. These are Docker Compose's rules.
 */
export async function projectOrName(call: Call): Promise<Project | { readonly name: string }> {
  const { globals, args, env } = call
  const given = globals['project-name']
  if (given && globals.file.length === 0) return { name: given }
  try {
    const { project } = await loadProject(call, args.length > 0 ? { services: args } : {})
    checkServices(args, [...Object.keys(project.services), ...Object.keys(project.disabledServices)])
    return project
  } catch (error) {
    const name = env['COMPOSE_PROJECT_NAME']
    if (!name || !(error instanceof Failure)) throw error
    call.screen.warn(error.message)
    return { name }
  }
}

/** Services named on the command line, all of which must exist; undefined for all. */
export function checkServices(args: readonly string[], known: Iterable<string>): readonly string[] | undefined {
  if (args.length === 0) return undefined
  const names = new Set(known)
  const unknown = args.filter(name => !names.has(name))
  if (unknown.length === 0) return args
  // Compose's text, which scripts look for
  throw new Failure('not-found', `no such service: ${unknown.join(', ')}`, { hint: servicesAre(names) })
}

function servicesAre(names: ReadonlySet<string>): string {
  return names.size === 0 ? 'The project has no services' : `Services are ${list([...names].sort())}`
}

/** What was read of it, for whoever reads the stack again. */
const standardInput = new WeakMap<Call['stdin'], Promise<Uint8Array>>()

async function readAll(stdin: Call['stdin']): Promise<Uint8Array> {
  const { buffer } = await import('node:stream/consumers')
  return buffer(stdin as AsyncIterable<Uint8Array> & NodeJS.ReadableStream)
}

/** The variables as they were before the launcher (`tscompose`) added where compiled code is kept: stacks see the user's alone. */
function withoutAdded(env: Call['env']): Call['env'] {
  const { TSCOMPOSE_CODE_CACHE: added, NODE_COMPILE_CACHE: folder, ...users } = env
  return added === undefined || folder !== added ? { ...env, TSCOMPOSE_CODE_CACHE: undefined } : users
}

function loadOptions(call: Call): LoadOptions {
  const { globals, env, cwd } = call
  return {
    cwd,
    environment: withoutAdded(env),
    ...(globals.file.length > 0 ? { files: globals.file } : {}),
    ...(globals['project-directory'] === undefined ? {} : { directory: globals['project-directory'] }),
    ...(globals['project-name'] === undefined ? {} : { projectName: globals['project-name'] }),
    ...(globals.profile.length > 0 ? { profiles: globals.profile } : {}),
    ...(globals['env-file'].length > 0 ? { envFiles: globals['env-file'] } : {}),
    ...(globals.compatibility ? { compatibility: true } : {}),
    ...(globals['all-resources'] ? { allResources: true } : {}),
    stdin: () => {
      const read = standardInput.get(call.stdin) ?? readAll(call.stdin)
      standardInput.set(call.stdin, read)
      return read
    },
  }
}
