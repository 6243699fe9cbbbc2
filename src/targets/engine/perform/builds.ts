/** What is to be built of a project, with what its Dockerfiles are built from. */
import { readFile } from 'node:fs/promises'
import type { Project } from '../../../model/project.ts'
import { EnginePlan } from '../engine-plan.ts'
import type { Observed } from '../observed.ts'
import { dockerfileOf } from '../plan/build-order.ts'
import { type BuildOptions, buildsDue, planBuilds } from '../plan/builds.ts'
import { basesIn } from '../plan/dockerfile-bases.ts'

/** A Dockerfile longer than this orders nothing. */
const maxDockerfile = 1024 * 1024

/** @throws ProblemsFailure */
export async function buildsOf(project: Project, observed: Observed, options: BuildOptions): Promise<EnginePlan> {
  if (buildsDue(project, observed, options).size === 0) return new EnginePlan()
  return planBuilds(project, observed, { ...options, bases: await readBases(project, options.flags?.args ?? {}) })
}

/** Service → the images its Dockerfile names; nothing of one that cannot be read, which the build will tell. */
async function readBases(
  project: Project,
  args: Readonly<Record<string, string>>,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const built = Object.values(project.services).flatMap(({ name, build }) => (build ? [{ name, build }] : []))
  const entries = await Promise.all(
    built.map(async ({ name, build }) => {
      const source = dockerfileOf(build)
      const text = source?.kind === 'text' ? source.text : source && (await textOf(source.file))
      return [name, text === undefined ? [] : basesIn(text, { ...build.args, ...args })] as const
    }),
  )
  return new Map(entries)
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    const content = await readFile(file)
    return content.length > maxDockerfile ? undefined : content.toString('utf8')
  } catch {
    // missing, a folder, not ours to read: the build of this service says so, with its place
    return undefined
  }
}
