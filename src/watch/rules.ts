/**
 * develop.watch of a project as rules, and what changed paths lead to by them. Patterns are those of .dockerignore, relative to
 * the path of their rule (https://docs.docker.com/reference/compose-file/develop/). Pure.
 */
import { posix, relative, resolve } from 'node:path'
import { type PathMatcher, pathMatcher } from '../api/ignore-patterns.ts'
import { Failure } from '../lib/failure.ts'
import type { Project } from '../model/project.ts'
import type { Service, WatchRule } from '../model/service.ts'

/** What a service's .dockerignore says. */
export interface IgnoreFile {
  /** The build context, absolute: its patterns are relative to it. */
  readonly folder: string
  readonly patterns: readonly string[]
}

export interface Rule extends WatchRule {
  readonly service: string
  /** Whether a change of this path, absolute, is the rule's business. */
  concerns(path: string): boolean
  /** Whether something below this folder may be, so that it is watched. */
  reaches(folder: string): boolean
  /** Where in the container a path below the rule's is; undefined without a target. */
  targetOf(path: string): string | undefined
}

export interface RulesOptions {
  /** Undefined: all of the project. */
  readonly services?: readonly string[] | undefined
  /** By service. */
  readonly ignoreFiles: ReadonlyMap<string, IgnoreFile>
  /** Whether images may be built. */
  readonly build: boolean
}

/** What editors leave for a moment beside the file that is written, and what belongs to nobody's sources. */
const passing = [
  '**/.git',
  '**/.idea',
  '**/*___jb_old___',
  '**/*___jb_new___',
  '**/.#*',
  '**/#*#',
  '**/.*.kate-swp',
  '**/4913',
  '**/*~',
  '**/.*.swp',
  '**/.*.swx',
  '**/.*.swo',
  '**/.*.swn',
  '**/*-go-tmp-umask',
]

/** In the order of the stack; with what is told of those that are left out. @throws Failure `invalid`, in Compose's words */
export function rulesOf(
  project: Project,
  { services, ignoreFiles, build }: RulesOptions,
): { readonly rules: readonly Rule[]; readonly warnings: readonly string[] } {
  const warnings: string[] = []
  const chosen = Object.values(project.services).filter(({ name }) => services === undefined || services.includes(name))
  const rules = chosen.flatMap(service =>
    service.watch.flatMap(rule => {
      check(service, rule, build)
      if (syncs(rule) && isBound(service, rule)) {
        warnings.push(`path '${rule.path}' also declared by a bind mount volume, this path won't be monitored!`)
        return []
      }
      return [ruleOf(service, rule, ignoreFiles.get(service.name))]
    }),
  )
  return { rules, warnings }
}

export function syncs({ action }: Pick<WatchRule, 'action'>): boolean {
  return action === 'sync' || action === 'sync+restart' || action === 'sync+exec'
}

function check({ name, build: built }: Service, rule: WatchRule, build: boolean): void {
  if (rule.action === 'rebuild' && !built)
    throw new Failure('invalid', `can't watch service "${name}" with action rebuild without a build context`)
  if (rule.action === 'rebuild' && !build)
    throw new Failure('invalid', `--no-build is incompatible with watch action rebuild in service ${name}`)
  if (syncs(rule) && rule.target === undefined)
    throw new Failure(
      'invalid',
      `Cannot watch "${rule.path}" for service "${name}": action ${rule.action} needs a target`,
    )
  if (rule.action === 'sync+exec' && !rule.exec)
    throw new Failure(
      'invalid',
      `can't watch with action "sync+exec" without specifying a command to run in service "${name}"`,
    )
}

/** What is mounted needs no copying. */
function isBound({ mounts }: Service, { path }: WatchRule): boolean {
  return mounts.some(mount => mount.kind === 'bind' && mount.source !== undefined && isWithin(mount.source, path))
}

function ruleOf(service: Service, rule: WatchRule, ignoreFile: IgnoreFile | undefined): Rule {
  const ignore = matcherOf(rule.path, rule.ignore)
  const include = rule.include.length > 0 ? matcherOf(rule.path, rule.include) : undefined
  const file = ignoreFile && matcherOf(ignoreFile.folder, ignoreFile.patterns)
  const common = matcherOf(rule.path, passing)
  const all = [ignore, common, ...(file ? [file] : [])]
  return {
    ...rule,
    service: service.name,
    concerns: path =>
      isWithin(rule.path, path) && (include?.matches(path) ?? true) && !all.some(each => each.matches(path)),
    reaches: folder =>
      isWithin(folder, rule.path) ||
      (isWithin(rule.path, folder) && !all.some(each => each.matches(folder) && !each.mayComeBackBelow(folder))),
    targetOf: path => {
      const below = relative(rule.path, path)
      return rule.target === undefined
        ? undefined
        : posix.normalize(below === '' ? rule.target : posix.join(rule.target, below))
    },
  }
}

/** Patterns relative to `folder` against absolute paths; what is not below it matches none. */
function matcherOf(folder: string, patterns: readonly string[]): Pick<PathMatcher, 'matches' | 'mayComeBackBelow'> {
  const matcher = pathMatcher(patterns.map(pattern => relativePattern(folder, pattern)))
  const below = (path: string, ask: (path: string) => boolean): boolean => {
    const inner = isWithin(folder, path) ? relative(folder, path) : ''
    return inner !== '' && ask(inner)
  }
  return {
    matches: path => below(path, matcher.matchesOnItsOwn),
    mayComeBackBelow: path => below(path, matcher.mayComeBackBelow),
  }
}

/** "!/abs/folder/x" and "/x" as they count below the folder. */
function relativePattern(folder: string, pattern: string): string {
  const except = pattern.startsWith('!') ? '!' : ''
  const body = pattern.slice(except.length)
  if (!body.startsWith('/')) return pattern
  const clean = resolve(body)
  return except + (isWithin(folder, clean) && clean !== folder ? relative(folder, clean) : body.replace(/^\/+/, ''))
}

/** Whether `path` is `folder` or below it; both absolute. */
export function isWithin(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`)
}

/** What a burst of changes leads to: each list by service, in the order of the stack. */
export interface Actions {
  readonly rebuild: readonly string[]
  readonly sync: ReadonlyMap<string, ReadonlyMap<string, string>>
  readonly restart: readonly string[]
  /** Once for each rule, however many files it was. */
  readonly exec: readonly Rule[]
}

export function actionsOf(rules: readonly Rule[], changed: Iterable<string>): Actions {
  const paths = [...new Set(changed)].sort()
  const rebuild = new Set<string>()
  const restart = new Set<string>()
  const sync = new Map<string, Map<string, string>>()
  const exec: Rule[] = []
  for (const rule of rules) {
    const own = paths.filter(path => rule.concerns(path))
    if (own.length === 0) continue
    if (rule.action === 'rebuild') rebuild.add(rule.service)
    if (rule.action === 'restart' || rule.action === 'sync+restart') restart.add(rule.service)
    if (rule.action === 'sync+exec') exec.push(rule)
    if (!syncs(rule)) continue
    const files = sync.get(rule.service) ?? new Map<string, string>()
    for (const path of own) files.set(path, rule.targetOf(path)!)
    sync.set(rule.service, files)
  }
  return { rebuild: [...rebuild], sync, restart: [...restart], exec }
}
