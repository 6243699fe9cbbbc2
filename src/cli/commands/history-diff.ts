/** What one apply wanted otherwise than another. */
import { compareApplies, type Difference, differenceText, type Side } from '../../history/compare.ts'
import { type Entry, repairing } from '../../history/entry.ts'
import { Failure } from '../../lib/failure.ts'
import { printable } from '../../lib/text.ts'
import { thaw } from '../../model/frozen.ts'
import { type Call, command } from '../command.ts'
import { historyOf, parseNumber, readAll } from '../history-of.ts'

export const historyDiff = command({
  usage: '[OPTIONS] [N [M]]',
  about:
    'From apply N to apply M, or to the newest; without numbers what the newest changed. Values that look secret are shown by a hash.',
  words: [0, 2],
  options: {
    json: { kind: 'flag', about: 'As JSON: kind, name, action and changes of each service, network and volume' },
  },
  examples: [
    ['tscompose history diff', 'what the last apply changed'],
    ['tscompose history diff 3 7', 'between two of them'],
  ],
  async run(call) {
    const history = await historyOf(call)
    const [from, to] = chosen(call.args.map(parseNumber), readAll(call, history), number => history.get(number))
    const differences = compareApplies(sideOf(call, from), sideOf(call, to))
    if (call.options.json) {
      call.screen.print(JSON.stringify({ from: from.number, to: to.number, differences }, null, 2))
      return
    }
    const { paint } = call.screen
    call.screen.print(paint('bold', `From ${from.number} to ${to.number}`))
    call.screen.printAll(differences.length === 0 ? ['no differences'] : differences.map(each => line(each, paint)))
  },
})

const styles = { add: 'green', change: 'yellow', remove: 'red' } as const

function line(difference: Difference, paint: Call['screen']['paint']): string {
  const text = printable(differenceText(difference))
  return paint(styles[difference.action], text[0]!) + text.slice(1)
}

/** An apply that leaves nothing to be has nothing to compare, and a repair has changed nothing of what was wanted. */
function chosen(
  [first, second]: readonly number[],
  entries: readonly Entry[],
  get: (number: number) => Entry,
): readonly [Entry, Entry] {
  const withModel = entries.filter(({ model, command: name }) => model !== undefined && name !== repairing)
  const newest = withModel.at(-1)
  const to = second === undefined ? newest : get(second)
  const from = first === undefined ? withModel.at(-2) : get(first)
  if (to === undefined || from === undefined)
    throw new Failure('not-found', 'Cannot compare: the history has no two applies', {
      hint: 'See "tscompose history"',
    })
  return [from, to]
}

function sideOf({ env }: Pick<Call, 'env'>, entry: Entry): Side {
  const { number, command: name, model, images, files, scale } = entry
  if (model === undefined)
    throw new Failure('invalid', `Cannot compare ${number}: it was "${name}", which leaves nothing to be`)
  return { project: thaw(model, env), images, files, ...(scale && { scale }) }
}
