/** What a Dockerfile says of itself, with the text it is about. */
import type { Source } from './build-failure.ts'
import type { CheckResult, Outline, TargetEntry } from './dockerfile/inspect.ts'
import type { Lookup } from './dockerfile/resolve-base.ts'
import type { BuildRequest } from './request.ts'

export type Inspection = { readonly source: Source } & (
  | ({ readonly question: 'check' } & CheckResult)
  | { readonly question: 'outline'; readonly outline: Outline }
  | { readonly question: 'targets'; readonly targets: readonly TargetEntry[] }
)

/** @throws as planBuild(); what is wrong in the file is an answer of `check`. */
export async function inspectDockerfile(
  question: Inspection['question'],
  source: Source,
  request: BuildRequest,
  lookup: Lookup,
): Promise<Inspection> {
  // the parser is loaded by the first build
  const { checkDockerfile, outlineBuild, targetsOf } = await import('./dockerfile/inspect.ts')
  switch (question) {
    case 'check':
      return { question, source, ...(await checkDockerfile(source.text, request, lookup)) }
    case 'outline':
      return { question, source, outline: await outlineBuild(source.text, request, lookup) }
    case 'targets':
      return { question, source, targets: targetsOf(source.text) }
  }
}
