/** One apply of the history, whole. */
import { type Entry, outcomeOf } from '../../history/entry.ts'
import { indent, printable, table } from '../../lib/text.ts'
import { rowText, totalsText } from '../../plan/summary.ts'
import { localTime } from '../../view/applies.ts'
import { command } from '../command.ts'
import { historyOf, parseNumber } from '../history-of.ts'

export const historyShow = command({
  usage: 'N',
  about: 'Who did what and when, the images as they were, the plan with old and new values, how it ended.',
  words: [1, 1],
  options: { json: { kind: 'flag', about: 'All of it as JSON, the model of the stack included' } },
  examples: [['tscompose history show 7 --json', 'the stack as it was then, as data']],
  async run(call) {
    const number = parseNumber(call.args[0]!)
    const history = await historyOf(call)
    const entry = history.get(number)
    if (call.options.json) return call.screen.print(JSON.stringify(entry, null, 2))
    call.screen.print(textOf(entry))
  },
})

function textOf(entry: Entry): string {
  const { number, command: name, services = [], scale = {}, to, user, begun, ended, folder, outcome } = entry
  const counts = Object.entries(scale).map(([service, count]) => `--scale ${service}=${count}`)
  const facts = [
    ['Apply', String(number)],
    ['Command', [name, ...(to === undefined ? [] : [String(to)]), ...counts, ...services].join(' ')],
    ['By', user],
    ...(folder === undefined ? [] : [['Folder', folder]]),
    ['Begun', localTime(begun)],
    ...(ended === undefined ? [] : [['Ended', localTime(ended)]]),
    ['Outcome', outcomeOf(entry)],
  ]
  const parts = [table(facts.map(row => row.map(printable)))]
  if (outcome.kind === 'failed') parts.push(`Failures\n${indent(printable(outcome.failures.join('\n')))}`)
  const images = Object.entries(entry.images).map(([image, { id, digest }]) => [image, digest ?? `built here, ${id}`])
  if (images.length > 0) parts.push(`Images\n${indent(table(images.map(row => row.map(printable))))}`)
  const rows = [...entry.changes.map(rowText), totalsText(entry.changes)]
  parts.push(`Plan\n${indent(printable(rows.join('\n')))}`)
  return parts.join('\n\n')
}
