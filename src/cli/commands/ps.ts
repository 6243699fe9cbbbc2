/** The containers of a stack, one line each. */
import type { ContainerSummary, Port } from '../../api/containers.ts'
import { humanDuration } from '../../lib/units.ts'
import { labels } from '../../plan/labels.ts'
import { command } from '../command.ts'
import { cut, formatOption, printList } from '../print.ts'
import { nameOf, replicasOf, serviceOf } from '../replicas.ts'

export const ps = command({
  usage: '[OPTIONS] [SERVICE...]',
  options: {
    all: { kind: 'flag', short: 'a', about: 'Show stopped containers and those of run too' },
    quiet: { kind: 'flag', short: 'q', about: 'Print ids only' },
    services: { kind: 'flag', about: 'Print the names of services only' },
    status: {
      kind: 'list',
      value: 'STATE',
      choices: ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'],
      about: 'Only containers in this state; repeat for several',
    },
    filter: { kind: 'text', value: 'status=STATE', about: 'The same as --status' },
    format: formatOption,
    'no-trunc': { kind: 'flag', about: 'Show commands in full' },
    orphans: { kind: 'flag', about: 'Orphans are always shown' },
  },
  examples: [
    ['tscompose ps', 'what runs'],
    ['tscompose ps -a --format json', 'everything, for a program'],
  ],
  async run(call) {
    const { options, screen } = call
    const states = [...options.status, ...(options.filter?.startsWith('status=') ? [options.filter.slice(7)] : [])]
    const { containers: found } = await replicasOf(call, {
      all: options.all || states.length > 0,
      oneOff: options.all,
      services: call.args,
    })
    const items = found.filter(each => states.length === 0 || states.includes(each.State))
    if (options.quiet) return screen.printAll(items.map(each => each.Id))
    if (options.services) return screen.printAll([...new Set(items.map(serviceOf))].sort().map(name => name))
    const now = Date.now()
    printList(screen, {
      format: options.format,
      items,
      columns: {
        NAME: nameOf,
        IMAGE: each => each.Image,
        COMMAND: each => `"${options['no-trunc'] ? each.Command : cut(each.Command, 20)}"`,
        SERVICE: serviceOf,
        CREATED: each => `${humanDuration(now - each.Created * 1000)} ago`,
        STATUS: each => each.Status,
        PORTS: each => portsText(each.Ports ?? []),
      },
      json: containerJson,
    })
  },
})

/** The members of `docker compose ps --format json` that programs read. */
function containerJson(container: ContainerSummary): object {
  const own = container.Labels ?? {}
  return {
    ID: container.Id,
    Name: nameOf(container),
    Names: nameOf(container),
    Image: container.Image,
    Command: container.Command,
    Project: own[labels.project] ?? '',
    Service: serviceOf(container),
    Created: container.Created,
    State: container.State,
    Status: container.Status,
    Health: /\((?:health: )?(starting|healthy|unhealthy)\)/.exec(container.Status)?.[1] ?? '',
    ExitCode: Number(/^Exited \((\d+)\)/.exec(container.Status)?.[1] ?? 0),
    Ports: portsText(container.Ports ?? []),
    Publishers: (container.Ports ?? []).map(port => ({
      URL: port.IP ?? '',
      TargetPort: port.PrivatePort,
      PublishedPort: port.PublicPort ?? 0,
      Protocol: port.Type,
    })),
    Networks: Object.keys(container.NetworkSettings?.Networks ?? {}).join(','),
    Mounts: (container.Mounts ?? []).map(mount => mount.Name || mount.Source).join(','),
    Labels: own,
  }
}

/** `0.0.0.0:8080->80/tcp, 443/tcp`, runs of ports joined as docker joins them: `8000-8002->8000-8002/tcp`. */
export function portsText(ports: readonly Port[]): string {
  const sorted = [...ports].sort(
    (a, b) =>
      compare(a.IP ?? '', b.IP ?? '') ||
      compare(a.Type, b.Type) ||
      a.PrivatePort - b.PrivatePort ||
      (a.PublicPort ?? 0) - (b.PublicPort ?? 0),
  )
  const runs: { first: Port; last: Port }[] = []
  for (const port of sorted) {
    const run = runs.at(-1)
    if (run && follows(run.last, port)) run.last = port
    else runs.push({ first: port, last: port })
  }
  return runs.map(({ first, last }) => runText(first, last)).join(', ')
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function follows(a: Port, b: Port): boolean {
  const published = a.PublicPort === undefined ? b.PublicPort === undefined : b.PublicPort === a.PublicPort + 1
  return a.IP === b.IP && a.Type === b.Type && b.PrivatePort === a.PrivatePort + 1 && published
}

function runText(first: Port, last: Port): string {
  const range = (from: number, to: number) => (from === to ? `${from}` : `${from}-${to}`)
  const inside = `${range(first.PrivatePort, last.PrivatePort)}/${first.Type}`
  if (first.PublicPort === undefined || last.PublicPort === undefined) return inside
  const host = first.IP?.includes(':') ? `[${first.IP}]` : (first.IP ?? '')
  return `${host}:${range(first.PublicPort, last.PublicPort)}->${inside}`
}
