/** Which paths of its client's folders a plan reads, so that no other is sent. Pure. */
import { posix } from 'node:path'
import type { AddStep, BuildPlan, CopyStep, Input, RunMount, Stage, Step } from './dockerfile/plan.ts'

/**
 * By context, relative, wildcards as they were written ("src", "*.json"), sorted; none where all of it is read. Only those that the
 * plan reads are there. What links lead to is the client's to find.
 */
export function contextPaths(plan: BuildPlan): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, Set<string>>()
  for (const { name, paths } of plan.stages.flatMap(readsOf)) {
    const all = found.get(name) ?? new Set<string>()
    found.set(name, all)
    for (const path of paths) all.add(posix.resolve('/', path))
  }
  return new Map(
    [...found].map(([name, paths]) => [name, paths.has('/') ? [] : [...paths].map(path => path.slice(1)).sort()]),
  )
}

interface Reads {
  readonly name: string
  readonly paths: readonly string[]
}

function readsOf(stage: Stage): readonly Reads[] {
  return [...reads(stage.base, ['/']), ...stage.steps.flatMap(readsOfStep)]
}

function readsOfStep(step: Step): readonly Reads[] {
  switch (step.kind) {
    case 'copy':
    case 'add':
      return reads(filesFrom(step), pathsOf(step))
    case 'run':
      return step.mounts.flatMap(readsOfMount)
    case 'workdir':
    case 'config':
      return []
    default:
      return step satisfies never
  }
}

/** What COPY and ADD take their paths from; nothing, where all they bring is fetched or stands in the Dockerfile. */
export function filesFrom(step: CopyStep | AddStep): Input {
  if (pathsOf(step).length === 0) return { kind: 'scratch' }
  return step.kind === 'copy' ? step.from : { kind: 'context', name: 'context' }
}

function pathsOf({ sources }: CopyStep | AddStep): readonly string[] {
  return sources.flatMap(source => {
    if (typeof source === 'string') return [source]
    return source.kind === 'path' ? [source.path] : []
  })
}

function readsOfMount(mount: RunMount): readonly Reads[] {
  return mount.kind === 'bind' || mount.kind === 'cache' ? reads(mount.from, [mount.source]) : []
}

function reads(from: Input, paths: readonly string[]): readonly Reads[] {
  return from.kind === 'context' ? [{ name: from.name, paths }] : []
}
