/** What up would do, operation by operation, each with its cause; there is no way to write from here. */
import { foresee } from '../../apply/converge.ts'
import { planJson, printPlan } from '../../plan/print.ts'
import { upOptions, wantedOf } from '../bring-up.ts'
import { command } from '../command.ts'

export const plan = command({
  usage: '[OPTIONS] [SERVICE...]',
  options: {
    ...upOptions,
    format: { kind: 'text', value: 'FORMAT', choices: ['text', 'json'], about: 'text (default) or json' },
    'detailed-exitcode': { kind: 'flag', about: 'Exit code 2 when something would change, 0 when nothing would' },
  },
  examples: [
    ['tscompose plan', 'what would change'],
    ['tscompose plan --detailed-exitcode', 'find drift in a script'],
  ],
  async run(call) {
    const { loaded, client, options } = await wantedOf(call, call.options)
    const {
      pulls,
      builds,
      plan: found,
    } = await foresee({ client, project: loaded.project, options, signal: call.signal })
    const empty = pulls.empty && builds.empty && found.empty
    const shown = {
      version: 1,
      pulls: planJson(pulls).changes,
      builds: planJson(builds).changes,
      ...planJson(found),
    }
    if (call.options.format === 'json') call.screen.print(JSON.stringify(shown, null, 2))
    else {
      for (const warning of found.warnings) call.screen.warn(warning)
      const text = [pulls, builds, found].filter(each => !each.empty).map(each => printPlan(each).trimEnd())
      call.screen.print(empty ? 'no changes' : text.join('\n'))
    }
    return call.options['detailed-exitcode'] && !empty ? 2 : 0
  },
})
