/** What containers have printed. */

import { Failure } from '../../lib/failure.ts'
import { followLogs } from '../../targets/engine/logs/follow.ts'
import { type LogLine, readLogs } from '../../targets/engine/logs/logs.ts'
import { LogFilter } from '../../view/log-filter.ts'
import { type LogLevel, logLevels } from '../../view/log-level.ts'
import { numberOf, serviceOf } from '../../view/names.ts'
import { type Call, command } from '../command.ts'
import { LogLines } from '../log-lines.ts'
import { usage } from '../options.ts'
import { replicasOf } from '../replicas.ts'
import { parseTime } from '../times.ts'

export const logs = command({
  usage: '[OPTIONS] [SERVICE...]',
  options: {
    follow: { kind: 'flag', short: 'f', about: 'Go on with what is printed later' },
    tail: { kind: 'text', short: 'n', value: 'N', about: 'Only the last N lines of each container, or all (default)' },
    timestamps: { kind: 'flag', short: 't', about: 'Show when each line was printed' },
    since: { kind: 'text', value: 'TIME', about: 'Lines since TIME (42m, 2026-01-02T13:23:37Z)' },
    until: { kind: 'text', value: 'TIME', about: 'Lines before TIME' },
    grep: { kind: 'text', value: 'PATTERN', about: 'Only lines that match a regular expression; (?i:…) for any case' },
    level: {
      kind: 'text',
      value: 'LEVEL',
      choices: logLevels,
      about: 'Only lines of at least this level, as programs write it; what has none has that of the line before',
    },
    json: { kind: 'flag', about: 'An object a line: time, service, container, stream, level, text' },
    index: { kind: 'number', value: 'N', about: 'Only this replica; takes one service' },
    'no-color': { kind: 'flag', about: 'Prefixes without colours' },
    'no-log-prefix': { kind: 'flag', about: 'Lines as they were printed, without whose they are' },
  },
  examples: [
    ['tscompose logs -f web', 'follow one service'],
    ['tscompose logs --since 10m --tail 100', 'what happened lately'],
    ['tscompose logs --level warn --since 1h', 'what went wrong, over all services, in order of time'],
  ],
  async run(call) {
    const { options, args, screen, signal } = call
    if (options.index !== undefined && args.length !== 1) throw usage('--index requires one service to be selected')
    const wanted = new LogFilter({ grep: options.grep, level: options.level as LogLevel | undefined })
    const now = Date.now()
    const { client, project, containers } = await replicasOf(call, { all: true, services: args })
    if (options.index !== undefined && !containers.some(each => numberOf(each) === options.index))
      throw new Failure('not-found', `service "${args[0]}" is not running container #${options.index}`)
    const lines = new LogLines(screen, {
      prefix: !options['no-log-prefix'],
      colour: !options['no-color'],
      timestamps: options.timestamps,
      services: [...new Set(containers.map(serviceOf))],
    })
    const stream = (options.follow ? followLogs : readLogs)(client, project, {
      signal,
      ...(args.length > 0 ? { services: args } : {}),
      tail: tailOf(call, options.tail),
      since: seconds(parseTime('--since', options.since, now)),
      until: seconds(parseTime('--until', options.until, now)),
      timestamps: options.timestamps || options.json,
    })
    for await (const event of stream) {
      if (event.kind === 'exited') {
        if (options.follow && !options.json) lines.exited(event)
      } else if (event.kind === 'unreadable') screen.warn(`${event.container}: ${event.text}`)
      else if (options.index === undefined || event.number === options.index) {
        const level = wanted.take(event)
        if (level === undefined) continue
        if (options.json) screen.print(JSON.stringify(recordOf(event, level)))
        else lines.write({ ...event, stream: 'stdout' })
      }
    }
    return signal.aborted ? 130 : 0
  },
})

function recordOf({ time, service, container, number, stream, text }: LogLine, level: LogLevel | 'none') {
  return { time, service, container, number, stream, ...(level === 'none' ? {} : { level }), text }
}

/** What is no number is all, as an engine takes it. */
function tailOf({ screen }: Call, text: string | undefined): number | undefined {
  if (text === undefined || text === 'all' || text === '-1') return undefined
  if (/^\d+$/.test(text)) return Number(text)
  screen.warn(`--tail ${text} is left out: it is a number of lines, or all`)
  return undefined
}

function seconds(nanoseconds: bigint | undefined): number | undefined {
  return nanoseconds === undefined ? undefined : Number(nanoseconds) / 1e9
}
