/** Brings a stack back to what an earlier apply made of it. */
import { endpoints } from '../../api/endpoints.ts'
import { hashFiles } from '../../apply/observe.ts'
import type { Client } from '../../client/client.ts'
import { changedSince, pinned, previous } from '../../history/back.ts'
import type { Entry } from '../../history/entry.ts'
import { variableHashes } from '../../history/recorder.ts'
import { Failure, isFailure } from '../../lib/failure.ts'
import { list, printable } from '../../lib/text.ts'
import { thaw } from '../../model/frozen.ts'
import { rowText, summarize, totalsText } from '../../plan/summary.ts'
import { bringUp } from '../bring-up.ts'
import { command } from '../command.ts'
import { asks } from '../confirm.ts'
import { historyOf, parseNumber, readAll } from '../history-of.ts'
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
    const { options, args, screen, signal } = call
    const { history, client } = await historyOf(call)
    const entry =
      args[0] === undefined ? previous(history.project, readAll(call, history)) : history.get(parseNumber(args[0]))
    const { number, model, images, services, scale } = entry
    if (model === undefined)
      throw new Failure(
        'invalid',
        `Cannot go back to ${number}: it was "${entry.command}", which leaves nothing to be`,
        {
          hint: 'Do the same again: tscompose down',
        },
      )
    const kept = thaw(model, call.env)
    const names = Object.keys(images)
    const [now, here] = await Promise.all([
      idsOf(client, names, signal),
      idsOf(client, [...new Set(Object.values(images).map(image => image.id))], signal),
    ])
    const project = pinned(kept, { number, images, now, here: new Set(here.values()) })
    const changed = changedSince(entry, {
      files: await hashFiles(Object.keys(entry.files)),
      variables: variableHashes(project),
    })
    if (changed.length > 0) screen.warn(`not as then, and taken as now: ${printable(list(changed))}`)
    screen.say(`Going back to ${number}, ${whatIs(entry)}`)
    const wanted = {
      loaded: { project },
      client,
      services,
      options: {
        ...(services ? { services } : { removeOrphans: true }),
        ...(scale ? { scale } : {}),
        ...(options.timeout === undefined ? {} : { timeout: options.timeout }),
        build: 'never',
        wait: options.wait,
      },
    } as const
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

/** Those that are there. */
async function idsOf(
  client: Client,
  names: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const found = await Promise.all(
    names.map(async name => {
      try {
        return [name, (await client.call(endpoints.imageInspect, { params: { name } }, { signal })).Id] as const
      } catch (error) {
        if (isFailure(error, 'not-found')) return undefined
        throw error
      }
    }),
  )
  return new Map(found.filter(each => each !== undefined))
}
