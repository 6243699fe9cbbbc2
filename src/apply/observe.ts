/** Asks the engine what is there of a project: four lists, no call per container. */
import type { Client } from '../client/client.ts'
import { Failure } from '../lib/failure.ts'
import type { Observed } from '../plan/observed.ts'

export interface ObserveOptions {
  readonly signal?: AbortSignal | undefined
  /** References of the images to look at; `imagesOf(project)` of plan/images.ts for `up`, none for `ps` and `down`. */
  readonly images?: readonly string[]
  /** Files behind configs and secrets; `filesOf(project)` of plan/file-objects.ts. */
  readonly files?: readonly string[]
}

/** By name only: `ps`, `down` and `stop` work without a stack file. */
export async function observe(_client: Client, _projectName: string, _options: ObserveOptions = {}): Promise<Observed> {
  throw new Failure('internal', 'Not yet written')
}
