/** `events` on a target that is not the engine. */
import { Failure } from '../../lib/failure.ts'
import { printable } from '../../lib/text.ts'
import type { TargetName } from '../../targets/target.ts'
import { eventText } from '../../view/events.ts'
import type { Call } from '../command.ts'
import { listed } from '../print.ts'
import { projectName } from '../project.ts'
import { openTarget } from '../targets.ts'
import { parseTime } from '../times.ts'

export async function events(call: Call, name: Exclude<TargetName, 'engine'>): Promise<number> {
  const { options, args, screen, signal } = call
  const now = Date.now()
  const [project, target] = await Promise.all([projectName(call), openTarget(call, name)])
  if (!target.events) throw new Failure('unsupported', `The target ${name} tells no events`)
  const seconds = (option: '--since' | '--until') => {
    const nanoseconds = parseTime(option, options[option.slice(2)] as string | undefined, now)
    return nanoseconds === undefined ? undefined : Number(nanoseconds) / 1e9
  }
  const services = args.length > 0 ? args : undefined
  const rows = target.events(project, { services, since: seconds('--since'), until: seconds('--until'), signal })
  const format = options['json'] ? 'jsonl' : (options['format'] as string | undefined)
  for await (const row of rows)
    if (format === undefined) screen.print(printable(eventText(row)))
    else for (const line of await listed({ format, rows: [row], columns: {}, json: 'lines' })) screen.print(line)
  return signal.aborted ? 130 : 0
}
