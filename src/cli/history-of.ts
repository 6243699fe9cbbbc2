/** The history of the project that a command is about, and the numbers by which its applies are named. */
import type { Client } from '../client/client.ts'
import type { Entry } from '../history/entry.ts'
import { History } from '../history/history.ts'
import { printable } from '../lib/text.ts'
import type { Call } from './command.ts'
import { usage } from './options.ts'
import { projectName } from './project.ts'

export async function historyOf(call: Call): Promise<{ readonly history: History; readonly client: Client }> {
  const [name, client] = await Promise.all([projectName(call), call.connect()])
  return { history: new History(name, { host: client.host, env: call.env }), client }
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
