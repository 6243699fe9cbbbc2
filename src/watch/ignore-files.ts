/** The .dockerignore of each service that is built: what it leaves out of a build is of no interest to develop.watch either. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseIgnoreFile } from '../api/ignore-patterns.ts'
import { errnoOf, Failure } from '../lib/failure.ts'
import type { Project } from '../model/project.ts'
import { dockerfileOf } from '../targets/engine/plan/build-order.ts'
import type { IgnoreFile } from './rules.ts'

/** By service. Next to the Dockerfile goes before the context's, as in a build. */
export function readIgnoreFiles(project: Project): ReadonlyMap<string, IgnoreFile> {
  const found = new Map<string, IgnoreFile>()
  for (const { name, build, watch } of Object.values(project.services)) {
    if (!build?.context.startsWith('/') || watch.length === 0) continue
    const source = dockerfileOf(build)
    const text =
      (source?.kind === 'file' ? textOf(`${source.file}.dockerignore`) : undefined) ??
      textOf(join(build.context, '.dockerignore'))
    if (text !== undefined) found.set(name, { folder: build.context, patterns: parseIgnoreFile(text) })
  }
  return found
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT' || errnoOf(cause) === 'ENOTDIR') return undefined
    throw new Failure('invalid', `Cannot read "${path}": ${errnoOf(cause) ?? 'it failed'}`, { cause })
  }
}
