/** `rollback` on a target that is not the engine: an earlier model, with the images it had, is what is wanted. */
import { changedSince } from '../../history/back.ts'
import { variableHashes } from '../../history/recorder.ts'
import { list, printable } from '../../lib/text.ts'
import { thaw } from '../../model/frozen.ts'
import { rowText, summarize, totalsText } from '../../plan/summary.ts'
import type { TargetName, Wish } from '../../targets/target.ts'
import type { Call } from '../command.ts'
import { asks } from '../confirm.ts'
import { entryToGoTo, historyOf, parseNumber } from '../history-of.ts'
import { openTarget } from '../targets.ts'
import { alone } from './alone.ts'
import { applyOn } from './apply.ts'
import { refuseOptions } from './refuse-options.ts'
import { rehearsedBy } from './rehearsed.ts'

export async function rollback(call: Call, name: Exclude<TargetName, 'engine'>): Promise<number> {
  refuseOptions(call, name, ['timeout'])
  const { args, screen, options, signal } = call
  const [history, target] = await Promise.all([historyOf(call), openTarget(call, name)])
  const entry = entryToGoTo(call, history, args[0] === undefined ? undefined : parseNumber(args[0]))
  const { number, services, scale } = entry
  const project = thaw(entry.model, call.env)
  // what their registries told then
  const digests = new Map(
    Object.entries(entry.images).flatMap(([image, { digest }]) => (digest === undefined ? [] : [[image, digest]])),
  )
  const wish: Wish = { ...(services ? { services } : { removeOrphans: true }), ...(scale && { scale }), digests }
  const of = { command: 'rollback', project: project.name, target, model: project, wish, to: number }
  return await alone(call, of, async recorder => {
    const seen = await target.observe(project.name, { project, wish, rehearsed: rehearsedBy(call), signal })
    const kept = target.kept(seen)
    const changed = changedSince(entry, { files: kept.files, variables: variableHashes(project) })
    if (changed.length > 0) screen.warn(`not as then, and taken as now: ${printable(list(changed))}`)
    const plan = target.plan(project, seen, wish)
    screen.say(`Going back to ${number}, ${printable(`${entry.command} of ${entry.user}, ${entry.begun}`)}`)
    if (!plan.empty && !call.globals['dry-run']) {
      const rows = summarize([plan])
      screen.say(printable([...rows.map(rowText), totalsText(rows)].join('\n')))
      if (!options['yes'] && screen.stdinIsTTY && screen.isLive && !(await asks(call, 'Go on?'))) return 1
    }
    recorder.plan(plan, kept)
    await applyOn(call, target, plan)
    return 0
  })
}
