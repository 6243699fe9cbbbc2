/** One line a name: `config --services`, `--volumes`, `--networks`, `--profiles`, `--images`, … */
import { Failure } from '../lib/failure.ts'
import type { LoadedStack } from './load.ts'

export const configListNames = ['services', 'volumes', 'networks', 'models', 'profiles', 'images', 'environment', 'variables'] as const

export type ConfigListName = (typeof configListNames)[number]

/** The lines of one list. `--hash` is not here: the config hash belongs to plan/hash.ts. */
export function configList(_loaded: LoadedStack, _name: ConfigListName): readonly string[] {
  throw new Failure('internal', 'Not yet written')
}
