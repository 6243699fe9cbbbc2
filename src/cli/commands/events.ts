/** What happens to the containers of a stack, line by line as it happens. */
import { endpoints } from '../../api/endpoints.ts'
import { printable } from '../../lib/text.ts'
import { projectFilter } from '../../targets/engine/labels.ts'
import { eventRow, eventText } from '../../view/events.ts'
import { command } from '../command.ts'
import { listed } from '../print.ts'
import { projectName } from '../project.ts'
import { parseTime } from '../times.ts'

export const events = command({
  usage: '[OPTIONS] [SERVICE...]',
  options: {
    json: { kind: 'flag', about: 'One JSON object a line' },
    format: { kind: 'text', value: 'FORMAT', suggested: ['json'], about: "json, or a template: '{{.service}}'" },
    since: { kind: 'text', value: 'TIME', about: 'Start with what happened since TIME (42m, 2026-01-02T13:23:37Z)' },
    until: { kind: 'text', value: 'TIME', about: 'End at TIME' },
  },
  examples: [
    ['tscompose events', 'as they happen'],
    ['tscompose events --json web', 'of one service, for programs'],
  ],
  async run(call) {
    const { options, args, screen, signal } = call
    const now = Date.now()
    const [project, client] = await Promise.all([projectName(call), call.connect()])
    const stream = await client.stream(
      endpoints.events,
      {
        query: {
          filters: projectFilter(project),
          since: parseTime('--since', options.since, now),
          until: parseTime('--until', options.until, now),
        },
      },
      { signal },
    )
    const format = options.json ? 'jsonl' : options.format
    for await (const event of stream) {
      const row = eventRow(event)
      if (!row || (args.length > 0 && !args.includes(row.service))) continue
      if (format === undefined) screen.print(printable(eventText(row)))
      else for (const line of await listed({ format, rows: [row], columns: {}, json: 'lines' })) screen.print(line)
    }
  },
})
