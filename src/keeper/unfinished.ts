/** The apply that the keeper goes on with: one whose process was ended on its way, and which asked for what is held. */
import { type Entry, finishing } from '../history/entry.ts'
import { History } from '../history/history.ts'
import { stableHash } from '../lib/stable-json.ts'
import { type FrozenProject, freeze, thaw } from '../model/frozen.ts'

/** Those that start what they make. A person who breaks one off with ^C wants no more of it. */
const goneOnWith: ReadonlySet<string> = new Set(['up', 'scale', 'rollback', 'watch', finishing])

/** `folder`: of what is known of the project; `held`: as its record has it. */
export function unfinished(
  { name, project: held }: { readonly name: string; readonly project: unknown },
  folder: string,
): { readonly services: readonly string[] | undefined } | undefined {
  const entry = new History(name, { folder }).brokenOff()
  if (!entry?.model || entry.outcome.kind !== 'begun' || !goneOnWith.has(entry.command)) return undefined
  return isAsHeld(entry.model, held) ? { services: entry.services } : undefined
}

/** Whether each service that it was about is held as it says. What a later wish, or an earlier one, says is another matter. */
function isAsHeld(model: NonNullable<Entry['model']>, held: unknown): boolean {
  const { services } = freeze(thaw(held)).project
  const asked = (model as FrozenProject).project.services
  return Object.entries(asked).every(
    ([name, service]) => Object.hasOwn(services, name) && stableHash(service) === stableHash(services[name]),
  )
}
