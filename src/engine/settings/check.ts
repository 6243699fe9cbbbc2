/** What `tscompose engine check` is told: whether an engine could start with its settings, without starting one. */
import { type Failure, isFailure } from '../../lib/failure.ts'
import { ProblemsFailure } from '../../lib/problems.ts'
import { defaultSettings } from '../images/registry/settings.ts'
import { listenersOf } from '../server/listeners.ts'
import { partsOf } from './effective.ts'
import { findSettings } from './find.ts'
import { readSettings } from './read.ts'

/** One line of JSON (cli/commands/engine-check.ts). Of a defect nothing is told: it is thrown. */
export function checkSettings(named: string | undefined, env: Readonly<Record<string, string | undefined>>): string {
  let file: string | undefined
  try {
    file = findSettings(named)
    const settings = file === undefined ? {} : readSettings(file)
    partsOf({}, settings, { env, defaults: defaultSettings })
    listenersOf({ ...settings, socket: settings.socket ?? '' })
    return JSON.stringify({ file, settings: Object.keys(settings).sort() })
  } catch (error) {
    if (error instanceof ProblemsFailure) return JSON.stringify({ file, settings: [], problems: error.problems })
    if (!isFailure(error)) throw error
    const { kind, message, hint } = error as Failure
    return JSON.stringify({ file, settings: [], failure: { kind, message, hint } })
  }
}
