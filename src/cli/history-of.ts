/** The history of the project that a command is about, and the numbers by which its applies are named. */
import { previous } from '../history/back.ts'
import type { Entry } from '../history/entry.ts'
import { History } from '../history/history.ts'
import { Failure } from '../lib/failure.ts'
import { printable } from '../lib/text.ts'
import type { Call } from './command.ts'
import { usage } from './options.ts'
import { projectName } from './project.ts'
import { targetNameOf } from './target-name.ts'

/** On the target that is meant. */
export async function historyOf(call: Call): Promise<History> {
  const [name, host] = await Promise.all([projectName(call), placeOf(call)])
  return new History(name, { host, env: call.env })
}

async function placeOf(call: Call): Promise<string> {
  const target = targetNameOf(call)
  if (target === 'engine') return (await call.connect()).host
  return (await (await import('./targets.ts')).openTarget(call, target)).place
}

/** The apply that is gone back to: the one of a number, otherwise the last before the newest that was carried out whole. */
export function entryToGoTo(
  call: Call,
  history: History,
  number: number | undefined,
): Entry & Required<Pick<Entry, 'model'>> {
  const entry = number === undefined ? previous(history.project, readAll(call, history)) : history.get(number)
  const { model } = entry
  if (model !== undefined) return { ...entry, model }
  throw new Failure(
    'invalid',
    `Cannot go back to ${entry.number}: it was "${entry.command}", which leaves nothing to be`,
    { hint: 'Do the same again: tscompose down' },
  )
}

/** All that can be read; what cannot is told. */
export function readAll(call: Call, history: History): readonly Entry[] {
  const { entries, damaged } = history.read()
  for (const text of damaged) call.screen.warn(`${printable(text)}: it is left out`)
  return entries
}

export function parseNumber(word: string): number {
  if (/^[1-9]\d{0,8}$/.test(word)) return Number(word)
  throw usage(`"${word}" is no apply of a history`, 'It should be a number that "tscompose history" shows')
}
