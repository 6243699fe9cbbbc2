/** Stack files to a Project: the phases, one line each. */
import { homedir } from 'node:os'
import { basename } from 'node:path'
import { Failure } from '../lib/failure.ts'
import { type Problem, Problems, ProblemsFailure } from '../lib/problems.ts'
import { checkProject, type Defined } from '../model/check.ts'
import type { Project } from '../model/project.ts'
import { checkAgreement } from './agree.ts'
import { longForms } from './each-file.ts'
import { type Environment, envFilePaths, type Origins, osEnvironment, readEnvFiles } from './env.ts'
import { resolveEnvFiles } from './env-files.ts'
import { applyExtends } from './extends.ts'
import { stack } from './fields.ts'
import { defaultFiles, namedFiles, projectDirectory } from './find.ts'
import { finish, parseBool } from './finish.ts'
import { warnFormerKeys } from './former-keys.ts'
import { harden } from './harden.ts'
import { importIncluded, readIncluded } from './include.ts'
import { UnsetVariables } from './interpolate.ts'
import { judge } from './judge.ts'
import { applyResets, merge } from './merge.ts'
import { applyDefaults, normalize, resolveBareKeys } from './normalize.ts'
import { checkOwnKeys, hasSchedules } from './own-keys.ts'
import { parse } from './parse.ts'
import { resolvePaths } from './paths.ts'
import { activeProfiles, disableServices, prune, selectServices, withDependencies } from './profiles.ts'
import { openFiles, toSource, whyMissing } from './read.ts'
import type { Reading } from './reading.ts'
import { checkRegistry } from './registry.ts'
import { checkWhole } from './syntax.ts'
import { substitute, TemplateError } from './template.ts'
import { toProject } from './to-project.ts'
import { get, type MapNode, map, type Node, placeOf, type ScalarNode } from './tree.ts'
import { chooseUserNamespaces } from './user-namespaces.ts'

export interface LoadOptions {
  /** -f, in merge order; "-" is standard input. Undefined: COMPOSE_FILE, then the default names, upwards. */
  readonly files?: readonly string[]
  /** --project-directory. */
  readonly directory?: string
  /** -p. */
  readonly projectName?: string
  /** --profile, each; undefined: COMPOSE_PROFILES. */
  readonly profiles?: readonly string[]
  /** --env-file; undefined: COMPOSE_ENV_FILES, then .env of the project directory. */
  readonly envFiles?: readonly string[]
  /** The process's environment. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Working directory, absolute. */
  readonly cwd: string
  /** Services named on the command line: their profiles are in force too. */
  readonly services?: readonly string[]
  /**
   * Containers are made of these services only, and of what they depend on unless `alone`: the env files of others are not
   * read. Undefined: of all.
   */
  readonly making?: { readonly services: readonly string[]; readonly alone?: boolean }
  /** Only these services, and what they depend on, stay in the stack: for `config SERVICE…`. */
  readonly selected?: readonly string[]
  /** Told of every file that is read, or looked for in vain; also when loading fails. */
  readonly onRead?: (path: string) => void
  /** What an editor holds of files, by absolute path: read instead of them. */
  readonly unsaved?: ReadonlyMap<string, string> | undefined
  /** Reads all of standard input, for `-f -`. */
  readonly stdin?: () => Promise<Uint8Array>
  /** --all-resources: keep what no service uses. */
  readonly allResources?: boolean
  /** --compatibility, or COMPOSE_COMPATIBILITY: names are joined by "_". */
  readonly compatibility?: boolean
  /** All default to true; `config --no-interpolate` and so on set them to false. */
  readonly interpolate?: boolean
  readonly normalize?: boolean
  readonly resolvePaths?: boolean
  readonly consistency?: boolean
}

export interface LoadedStack {
  readonly project: Project
  /** The merged long form behind `config`; render it by config-output.ts, ask trace.ts where a value came from. */
  readonly tree: MapNode
  /** Services left out, as they stand in the merged tree. */
  readonly disabled: MapNode
  readonly warnings: readonly Problem[]
  /** What interpolation sees: the process's environment over .env files. */
  readonly environment: Readonly<Record<string, string>>
  /** Every text that was read, by the name its places carry: for excerpts. */
  readonly sources: ReadonlyMap<string, string>
  /** False when variables were left as they stand. */
  readonly interpolated: boolean
}

/** @throws ProblemsFailure with all problems of the files by themselves, or of what they come to together. */
export async function loadStack(options: LoadOptions): Promise<LoadedStack> {
  const { cwd } = options
  const problems = new Problems()
  const unset = new UnsetVariables(problems)
  const sources = new Map<string, string>()
  let stdin: Uint8Array | undefined
  const files = openFiles(() => stdin, options)

  const process = osEnvironment(options.environment, cwd)
  let environment = process
  const origins: Origins = new Map()
  const addEnvFiles = (directory: string) => {
    const paths = envFilePaths(options.envFiles, directory, { environment: process, files, cwd })
    const outer = environment
    const found: Origins = new Map()
    const read = readEnvFiles(paths, name => outer.get(name), { files, cwd, origins: found, unset })
    for (const [key, place] of found) if (!outer.has(key)) origins.set(key, place)
    environment = new Map([...read, ...environment])
  }
  addEnvFiles(projectDirectory(options))
  let paths = namedFiles(options, environment)
  paths ??= defaultFiles(projectDirectory(options), files)
  if (paths.includes('-') && options.stdin) stdin = await options.stdin()
  const directory = projectDirectory({ ...options, files: paths })
  addEnvFiles(directory)

  const reading: Reading = {
    files,
    problems,
    unset,
    environment,
    origins,
    lookup: options.interpolate === false ? undefined : name => environment.get(name),
    home: options.environment.HOME ?? homedir(),
    cwd,
    resolvePaths: options.resolvePaths !== false,
    parse(path, text, via, problems) {
      const source = toSource(path, text, { cwd, via })
      sources.set(source.file, text)
      return parse(source, problems)
    },
  }
  const layers = readLayers(paths, reading, [])
  problems.settle()
  const name = projectName(
    options,
    layers.map(layer => layer.root),
    { environment, directory },
  )
  environment.set('COMPOSE_PROJECT_NAME', name)

  const tree = mergeLayers(layers, { ...reading, directory, including: paths.slice(0, 1) })
  problems.settle()
  if (tree.entries.size === 0) throw new Failure('invalid', 'Cannot load an empty stack: it should have services')

  const { disabled, inForce } = settleTree(tree, { options, reading, directory, name })
  problems.settle()

  if (options.selected) selectServices(tree, options.selected)
  const defined = definedNames(tree)
  if (!options.allResources && options.interpolate !== false) prune(tree)
  const compatible = options.compatibility || isTrue(environment.get('COMPOSE_COMPATIBILITY'))
  const project = toProject(tree, {
    name,
    separator: compatible ? '_' : '-',
    directory,
    files: paths,
    disabled,
    profiles: inForce.filter(profile => profile !== ''),
  })
  if (options.consistency !== false && options.interpolate !== false) {
    for (const problem of checkProject(project, defined)) problems.add(problem)
    judge(tree, problems)
    if (hasSchedules(tree)) (await import('./check-schedules.ts')).checkSchedules(project, problems)
  }
  problems.settle()
  return {
    project,
    tree,
    disabled,
    warnings: problems.warnings,
    environment: Object.fromEntries(environment),
    sources,
    interpolated: options.interpolate !== false,
  }
}

/** As Compose reads a variable that stands for a flag. */
function isTrue(value: string | undefined): boolean {
  return value === '1' || value === 't' || parseBool(value ?? '') === true
}

function definedNames(tree: MapNode): Defined {
  const names = (section: string) => Object.fromEntries([...keysOf(get(tree, section))].map(key => [key, true]))
  return {
    networks: names('networks'),
    volumes: names('volumes'),
    configs: names('configs'),
    secrets: names('secrets'),
    models: names('models'),
  }
}

function keysOf(node: Node | undefined): Iterable<string> {
  return node?.kind === 'map' ? node.entries.keys() : []
}

type ReadLayer = ReturnType<Reading['parse']>[number] & { readonly file: string }

function readLayers(paths: readonly string[], reading: Reading, via: readonly string[]): readonly ReadLayer[] {
  return paths.flatMap(path => {
    const text = reading.files.read(path)
    if (text === undefined)
      throw new Failure('not-found', `Cannot read stack file "${path}": ${whyMissing(path, reading.files)}`)
    return reading.parse(path, text, via, reading.problems).map(layer => ({ ...layer, file: path }))
  })
}

/** All documents of all files in long form, each extended, merged in order. */
function mergeLayers(
  layers: readonly ReadLayer[],
  reading: Reading & { directory: string; including: readonly string[] },
): MapNode {
  const { problems, directory, home } = reading
  let tree: MapNode = map(new Map())
  const forms = longForms(
    layers.map(({ root }) => root),
    reading,
  )
  const whole = layers.map((layer, i) => {
    const { tree: long, raw } = forms[i]!
    if (reading.resolvePaths) resolvePaths(long, stack, { directory, home })
    applyExtends(long, layer, { ...reading, file: layer.file, directory })
    const context = { ...reading, raw, load: loadIncluded }
    return { long, resets: layer.resets, included: readIncluded(long, context), context }
  })
  problems.settle()
  for (const { long, resets, included, context } of whole) {
    applyResets(tree, resets)
    importIncluded(long, included, context)
    problems.settle()
    tree = merge(tree, long, stack) as MapNode
    checkWhole(tree, problems)
    problems.settle()
    warnVersion(tree, problems)
  }
  applyDefaults(tree)
  if (reading.resolvePaths) {
    resolvePaths(tree, stack, { directory, home })
  }
  resolveBareKeys(tree, name => reading.environment.get(name))
  return tree
}

function loadIncluded(
  paths: readonly string[],
  reading: Reading & { directory: string; including: readonly string[]; via: readonly string[] },
): MapNode {
  const layers = readLayers(paths, reading, reading.via)
  reading.problems.settle()
  return mergeLayers(layers, reading)
}

function settleTree(
  tree: MapNode,
  context: { options: LoadOptions; reading: Reading; directory: string; name: string },
) {
  const { options, reading, name } = context
  const interpolated = options.interpolate !== false
  if (interpolated) finish(tree, stack, { problems: reading.problems, path: [] })
  reading.problems.settle()
  if (interpolated && options.normalize !== false) {
    harden(tree, reading.problems)
    chooseUserNamespaces(tree, reading.problems)
  }
  if (interpolated) checkOwnKeys(tree, reading.problems)
  if (interpolated) warnFormerKeys(tree, reading.problems)
  if (interpolated) checkRegistry(tree, reading.problems)
  reading.problems.settle()
  if (options.normalize !== false) normalize(tree, name)
  if (!interpolated) return { disabled: map(new Map()), inForce: [] }
  const profiles = activeProfiles(options.profiles, reading.environment.get('COMPOSE_PROFILES'))
  const found = disableServices(tree, profiles, options.services ?? [])
  if (options.consistency !== false) checkAgreement(tree, reading.problems)
  const { making } = options
  const wanted = making?.alone ? new Set(making.services) : making && withDependencies(tree, making.services)
  resolveEnvFiles(tree, reading, wanted)
  return found
}

function warnVersion(tree: MapNode, problems: Problems): void {
  const version = tree.entries.get('version')
  if (!version) return
  tree.entries.delete('version')
  problems.add({
    severity: 'warning',
    code: 'obsolete-key',
    place: placeOf(version, 'key'),
    path: ['version'],
    message: '"version" is obsolete and has no effect',
    hint: 'Remove it',
  })
}

/** -p or COMPOSE_PROJECT_NAME as it is; otherwise `name:` of the last file that has one, or the folder's, made to fit. */
function projectName(
  options: LoadOptions,
  roots: readonly Node[],
  context: { environment: Environment; directory: string },
): string {
  const { environment, directory } = context
  const given = options.projectName || environment.get('COMPOSE_PROJECT_NAME')
  if (given) {
    if (given !== fitName(given))
      throw new Failure(
        'invalid',
        `Cannot use project name "${given}": it should be made of lower-case letters, digits, "-" and "_", and begin with a letter or digit`,
      )
    return given
  }
  const written = roots
    .map(root => get(root, 'name'))
    .findLast(
      (node): node is ScalarNode => node?.kind === 'scalar' && typeof node.value === 'string' && node.value !== '',
    )
  let fitted = ''
  let unreadable = false
  if (written) {
    try {
      fitted = fitName(
        options.interpolate === false
          ? String(written.value)
          : substitute(String(written.value), name => environment.get(name)),
      )
    } catch (error) {
      // Interpolation meets the same mistake again and reports it with its place.
      if (!(error instanceof TemplateError)) throw error
      unreadable = true
    }
  }
  if (written && fitted === '' && !unreadable)
    throw new ProblemsFailure([
      {
        severity: 'error',
        code: 'bad-name',
        place: placeOf(written),
        path: ['name'],
        message: 'Cannot use this project name: none of its characters are letters or digits',
      },
    ])
  const name = fitted || fitName(basename(directory))
  if (name === '')
    throw new Failure('invalid', 'Cannot tell the name of the project: the folder has none that fits', {
      hint: 'Give one with -p or "name:"',
    })
  return name
}

function fitName(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^-_a-z0-9]/g, '')
    .replace(/^[-_]+/, '')
}
