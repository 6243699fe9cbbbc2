/** The Dockerfile of a request to its plan; what is wrong in it knows its place. */
import { SourceFailure } from '../dockerfile/source-failure.ts'
import { formatPlatform } from '../images/platform.ts'
import type { BaseImages } from './base-images.ts'
import { BuildFailure, type Source } from './build-failure.ts'
import type { Contexts } from './contexts.ts'
import type { OnPlanning } from './dockerfile/evaluate.ts'
import type { BuildPlan } from './dockerfile/plan.ts'
import type { Lookup } from './dockerfile/resolve-base.ts'
import type { BuildRequest } from './request.ts'

interface From extends OnPlanning {
  readonly bases: BaseImages
  readonly contexts: Contexts
}

/** @throws BuildFailure for what is wrong at some lines, Failure for what is wrong as a whole. */
export async function evaluatePlan(
  source: Source,
  request: BuildRequest,
  { bases, contexts, ...on }: From,
): Promise<BuildPlan> {
  // the parser is loaded by the first build
  const { planBuild } = await import('./dockerfile/evaluate.ts')
  try {
    return await planBuild(source.text, request, lookupOf(bases, contexts), on)
  } catch (error) {
    if (error instanceof SourceFailure) throw new BuildFailure(error, { source, lines: error.lines })
    throw error
  }
}

export function lookupOf(bases: BaseImages, contexts: Contexts): Lookup {
  return {
    image: (reference, platform) => bases.find(reference, formatPlatform(platform)),
    layout: (name, layout, platform) => bases.layout(name, layout, formatPlatform(platform)),
    ignored: () => contexts.ignored(),
  }
}
