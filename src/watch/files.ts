/** What of a project is watched: the files that say what it is, and the sources that develop.watch names. Pure. */
import { join } from 'node:path'
import type { Project } from '../model/project.ts'
import { filesOf } from '../targets/engine/plan/file-objects.ts'
import type { WatchedPath } from './paths.ts'
import type { Rule } from './rules.ts'

/** A project as it was read. */
export interface Loaded {
  readonly project: Project
  /** Every path that was read for it, or looked for: stack files, those they include and extend, env files. */
  readonly files: readonly string[]
}

/** A change of one of these may change what the project is, absolute: what was read, and what configs and secrets are made from. */
export function definingFiles({ project, files }: Loaded): ReadonlySet<string> {
  return new Set([...files.filter(path => path.startsWith('/')), ...filesOf(project)])
}

/** A change of one of these changes which sources count. */
export function ignoringFiles(project: Project): readonly string[] {
  return Object.values(project.services).flatMap(({ build, watch }) =>
    build?.context.startsWith('/') && watch.length > 0 ? [join(build.context, '.dockerignore')] : [],
  )
}

/** Sorted, so that two lists of the same can be told to be so. */
export function watchedPaths(loaded: Loaded, rules: readonly Rule[]): readonly WatchedPath[] {
  const shallow = [...definingFiles(loaded), ...ignoringFiles(loaded.project)].map(path => ({ path, deep: false }))
  const deep = [...new Set(rules.map(({ path }) => path))].map(path => ({ path, deep: true }))
  return [...shallow, ...deep].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
}
