/** What happens to the containers of a stack, line by line as it happens. */
import { endpoints } from '../../api/endpoints.ts'
import { printable } from '../../lib/text.ts'
import { labels, projectFilter } from '../../plan/labels.ts'
import { command } from '../command.ts'
import { projectName } from '../project.ts'
import { parseTime } from '../times.ts'

export const events = command({
  usage: '[OPTIONS] [SERVICE...]',
  options: {
    json: { kind: 'flag', about: 'One JSON object a line' },
    since: { kind: 'text', value: 'TIME', about: 'Start with what happened since TIME (42m, 2026-01-02T13:23:37Z)' },
    until: { kind: 'text', value: 'TIME', about: 'End at TIME' },
  },
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
    for await (const event of stream) {
      const { Attributes: attributes, ID: id } = event.Actor
      const service = attributes[labels.service] ?? ''
      if (event.Type !== 'container' || (args.length > 0 && !args.includes(service))) continue
      const time = new Date(event.time * 1000 + (Math.floor(event.timeNano / 1e6) % 1000)).toISOString()
      const own = Object.fromEntries(
        Object.entries(attributes).filter(([key]) => !key.startsWith('com.docker.compose.')),
      )
      if (options.json)
        screen.print(JSON.stringify({ time, type: event.Type, service, id, action: event.Action, attributes: own }))
      else {
        const list = Object.entries(own)
          .filter(([key]) => key === 'name' || key === 'image' || key === 'exitCode' || key === 'signal')
          .map(([key, value]) => `${key}=${value}`)
        screen.print(printable(`${time} ${event.Type} ${event.Action} ${id.slice(0, 12)} (${list.join(', ')})`))
      }
    }
  },
})
