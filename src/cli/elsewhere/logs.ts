/** `logs` on a target that is not the engine. */
import { Failure } from '../../lib/failure.ts'
import { printable } from '../../lib/text.ts'
import type { TargetName } from '../../targets/target.ts'
import type { Call } from '../command.ts'
import { LogLines } from '../log-lines.ts'
import { projectName } from '../project.ts'
import { openTarget } from '../targets.ts'
import { parseTime } from '../times.ts'
import { refuseOptions } from './refuse-options.ts'

export async function logs(call: Call, name: Exclude<TargetName, 'engine'>): Promise<number> {
  refuseOptions(call, name, ['until', 'grep', 'level'])
  const { options, args, screen, signal } = call
  const [project, target] = await Promise.all([projectName(call), openTarget(call, name)])
  if (!target.logs) throw new Failure('unsupported', `The target ${name} tells no logs`)
  const since = parseTime('--since', options['since'] as string | undefined, Date.now())
  const tail = options['tail'] as string | undefined
  const lines = new LogLines(screen, {
    prefix: !options['no-log-prefix'],
    colour: !options['no-color'],
    timestamps: options['timestamps'] === true,
    services: args,
  })
  const found = target.logs(project, {
    services: args.length > 0 ? args : undefined,
    follow: options['follow'] === true,
    tail: tail !== undefined && /^\d+$/.test(tail) ? Number(tail) : undefined,
    since: since === undefined ? undefined : Number(since) / 1e9,
    signal,
    onWarning: text => screen.warn(printable(text)),
  })
  for await (const { service, name: container, number, stream, time, text } of found) {
    if (options['index'] !== undefined && number !== options['index']) continue
    if (options['json']) screen.print(JSON.stringify({ time, service, container, number, stream, text }))
    // as on one machine: "web-1"
    else
      lines.write({
        service,
        container: number === undefined ? container : `${service}-${number}`,
        number,
        stream,
        time,
        text,
      })
  }
  return signal.aborted ? 130 : 0
}
