/** A word of an apply that was broken off, for commands that show how a stack is. */
import type { Entry } from '../history/entry.ts'
import { printable } from '../lib/text.ts'
import type { Call } from './command.ts'

export async function warnOfBrokenOff(
  { env, screen }: Pick<Call, 'env' | 'screen'>,
  { host, project }: { readonly host: string; readonly project: string },
): Promise<void> {
  const { History } = await import('../history/history.ts')
  const entry = new History(project, { host, env }).brokenOff()
  if (!entry) return
  const { number, command, user } = entry
  screen.warn(
    printable(
      `Apply ${number}, "${command}" of ${user}, was broken off: "tscompose ${wordsOf(entry)}" finishes it, "tscompose history show ${number}" tells what it was about`,
    ),
  )
}

/** What a person types to have it finished. */
function wordsOf({ command, services = [], scale = {}, to }: Entry): string {
  const counts = Object.entries(scale).map(([name, count]) => `${name}=${count}`)
  switch (command) {
    case 'scale':
      return ['scale', ...counts].join(' ')
    case 'rollback':
      return `rollback ${to ?? ''}`.trimEnd()
    case 'down':
    case 'create':
      return [command, ...services].join(' ')
    default:
      return ['up', ...counts.flatMap(each => ['--scale', each]), ...services].join(' ')
  }
}
