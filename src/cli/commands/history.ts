/** The applies of a stack, the newest first. */
import { type Entry, outcomeOf } from '../../history/entry.ts'
import { changesInWords, localTime } from '../../view/applies.ts'
import { command } from '../command.ts'
import { historyOf, readAll } from '../history-of.ts'
import { formatOption, printList } from '../print.ts'

export const history = command({
  usage: '[OPTIONS]',
  about:
    'Each up, create, scale, down, rollback and repair by the keeper that changed something: its model, the digests of its images, its plan and how it ended. The last 20 are kept; TSCOMPOSE_HISTORY sets how many, 0 for none.',
  words: [0, 0],
  options: {
    json: { kind: 'flag', about: 'The same as --format json' },
    quiet: { kind: 'flag', short: 'q', about: 'Print numbers only' },
    format: formatOption,
  },
  examples: [
    ['tscompose history', 'what was applied, by whom, and how it ended'],
    ['tscompose history diff', 'what the last apply changed'],
    ['tscompose rollback', 'go back to the one before'],
  ],
  async run(call) {
    const { options, screen } = call
    const found = await historyOf(call)
    const rows = readAll(call, found).toReversed().map(rowOf)
    if (options.quiet) return screen.printAll(rows.map(row => String(row.Number)))
    await printList(screen, {
      format: options.json ? 'json' : options.format,
      rows,
      columns: {
        '#': row => String(row.Number),
        WHEN: row => localTime(row.Begun),
        BY: row => row.User,
        COMMAND: row => row.Command,
        OUTCOME: row => row.Outcome,
        WHAT: row => row.What,
      },
      json: 'array',
      least: 4,
    })
  },
})

function rowOf(entry: Entry) {
  const { number, command: name, services = [], to, user, begun, ended, folder, outcome, changes, images } = entry
  return {
    Number: number,
    Command: [name, ...(to === undefined ? [] : [String(to)]), ...services].join(' '),
    User: user,
    Begun: begun,
    ...(ended === undefined ? {} : { Ended: ended }),
    Outcome: outcomeOf(entry),
    ...(outcome.kind === 'failed' ? { Failures: outcome.failures } : {}),
    ...(folder === undefined ? {} : { Folder: folder }),
    What: changesInWords(changes),
    Images: images,
  }
}
