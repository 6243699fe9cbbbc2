/** Options of a command that mean nothing on a target. */
import { Failure } from '../../lib/failure.ts'
import type { TargetName } from '../../targets/target.ts'
import type { Call } from '../command.ts'

/** @throws Failure unsupported for options of a command that were given and mean nothing on the target */
export function refuseOptions(call: Call, target: TargetName, names: readonly string[]): void {
  for (const name of names) {
    const value = call.options[name]
    if (value === undefined || value === false || (Array.isArray(value) && value.length === 0)) continue
    throw new Failure('unsupported', `The target ${target} has no --${name}`, {
      hint: 'Leave it out',
    })
  }
}
