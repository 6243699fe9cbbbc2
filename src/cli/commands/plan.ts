/** What up would do: by service with old and new values, or operation by operation; there is no way to write from here. */

import { printable } from '../../lib/text.ts'
import { batchesText } from '../../plan/batches.ts'
import type { Plan } from '../../plan/plan.ts'
import { planJson, printPlan } from '../../plan/print.ts'
import { type Row, rowText, summarize, totalsText } from '../../plan/summary.ts'
import { foresee } from '../../targets/engine/converge.ts'
import { pushOption, refusePush, upOptions, wantedOf } from '../bring-up.ts'
import { warnOfBrokenOff } from '../broken-off.ts'
import { type Call, command } from '../command.ts'
import { usage } from '../options.ts'

export const plan = command({
  usage: '[OPTIONS] [SERVICE...]',
  options: {
    ...upOptions,
    ...pushOption,
    format: { kind: 'text', value: 'FORMAT', choices: ['text', 'json'], about: 'text (default) or json' },
    json: { kind: 'flag', about: 'The same as --format json' },
    steps: { kind: 'flag', about: 'The numbered operations, each with those it comes after' },
    export: {
      kind: 'flag',
      about: 'The objects of a cluster as YAML, secrets included, and no plan (target kubernetes)',
    },
    'detailed-exitcode': { kind: 'flag', about: 'Exit code 2 when something would change, 0 when nothing would' },
  },
  examples: [
    ['tscompose plan', 'what would change, with old and new values'],
    ['tscompose plan --steps', 'operation by operation'],
    ['tscompose plan --detailed-exitcode', 'find drift in a script'],
  ],
  async run(call) {
    if (call.options.export) throw usage('--export is for the target kubernetes', 'Add --target kubernetes')
    refusePush(call.options)
    const { loaded, client, options, accept } = await wantedOf(call, call.options)
    const { pulls, builds, plan } = await foresee({
      client,
      project: loaded.project,
      options,
      accept,
      signal: call.signal,
    })
    const all = [pulls, builds, plan]
    const empty = all.every(each => each.empty)
    if (call.options.format === 'json' || call.options.json)
      call.screen.print(JSON.stringify(planJson({ pulls, builds, plan }), null, 2))
    else {
      if (!empty) await warnOfBrokenOff(call, { host: client.host, project: loaded.project.name })
      for (const warning of plan.warnings) call.screen.warn(printable(warning))
      call.screen.print(empty ? 'no changes' : call.options.steps ? stepsOf(all) : rowsOf(call, all))
    }
    return call.options['detailed-exitcode'] && !empty ? 2 : 0
  },
})

export function stepsOf(plans: readonly Plan[]): string {
  return plans
    .filter(each => !each.empty)
    .map(each => printPlan(each).trimEnd())
    .join('\n')
}

const styles = { '+': 'green', '~': 'yellow', '-': 'red' } as const

export function rowsOf({ screen }: Call, plans: readonly Plan[]): string {
  const rows = summarize(plans)
  const line = (row: Row) => {
    const text = printable(rowText(row))
    return screen.paint(styles[text[0] as keyof typeof styles], text[0]!) + text.slice(1)
  }
  const updates = new Map(
    plans.flatMap(({ rollouts }) => rollouts.map(({ service, shape }) => [service, shape] as const)),
  )
  const isReplaced = ({ kind, action }: Row) => kind === 'service' && action === 'recreate'
  const below = (row: Row, at: number): readonly string[] => {
    const shape = updates.get(row.name)
    const isLast = !rows.slice(at + 1).some(other => isReplaced(other) && other.name === row.name)
    return shape && isReplaced(row) && isLast ? batchesText(shape).map(text => `    ${printable(text)}`) : []
  }
  return [...rows.flatMap((row, at) => [line(row), ...below(row, at)]), screen.paint('bold', totalsText(rows))].join(
    '\n',
  )
}
