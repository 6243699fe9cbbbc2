/** The merged tree as `config` prints it: the same data as `docker compose config`. */
import { Failure } from '../lib/failure.ts'
import type { LoadedStack } from './load.ts'

/** `config --format json`, ends with a newline. */
export function configJson(_loaded: LoadedStack): string {
  throw new Failure('internal', 'Not yet written')
}

/** `config --format yaml`, ends with a newline. */
export function configYaml(_loaded: LoadedStack): string {
  throw new Failure('internal', 'Not yet written')
}
