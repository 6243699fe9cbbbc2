/** Brings a stack back to what an earlier apply made of it. */
import type { Entry } from '../../history/entry.ts'
import { printable } from '../../lib/text.ts'
import { rowText, summarize, totalsText } from '../../plan/summary.ts'
import { bringUp } from '../bring-up.ts'
import { command } from '../command.ts'
import { asks } from '../confirm.ts'
import { backTo } from '../going-back.ts'
import { parseNumber } from '../history-of.ts'
import { timeoutOption } from '../turning.ts'

export const rollback = command({
  usage: '[OPTIONS] [N]',
  about:
    'Converges to the model of apply N, with the images it had; without N, to the last that was carried out before the newest. The plan is shown, and asked for on a terminal. The next up follows the stack files again.',
  words: [0, 1],
  options: {
    yes: { kind: 'flag', short: 'y', about: 'Do not ask' },
    wait: { kind: 'flag', about: 'Return when everything is running and healthy' },
    timeout: timeoutOption,
  },
  examples: [
    ['tscompose rollback', 'undo the last apply'],
    ['tscompose rollback 3 --dry-run', 'what going back to 3 would do'],
  ],
  async run(call) {
    const { options, args, screen } = call
    const { wanted, entry } = await backTo(call, args[0] === undefined ? undefined : parseNumber(args[0]), {
      ...(options.timeout === undefined ? {} : { timeout: options.timeout }),
      wait: options.wait,
    })
    const { number } = entry
    screen.say(`Going back to ${number}, ${whatIs(entry)}`)
    const isDone = await bringUp(call, wanted, {
      yes: options.yes,
      command: 'rollback',
      to: number,
      ask: async plan => {
        if (plan.empty || call.globals['dry-run']) return true
        const rows = summarize([plan])
        screen.say(printable([...rows.map(rowText), totalsText(rows)].join('\n')))
        if (options.yes || !screen.stdinIsTTY || !screen.isLive) return true
        return await asks(call, 'Go on?')
      },
    })
    return isDone ? 0 : 1
  },
})

function whatIs({ command: name, user, begun }: Entry): string {
  return printable(`${name} of ${user}, ${begun}`)
}
