/** What the tasks of a stack have printed, from whichever nodes they are on. */
import { swarmObjects } from '../../api/swarm-objects.ts'
import type { Client } from '../../client/client.ts'
import type { LogOptions, TargetLine } from '../target.ts'
import { together } from '../together.ts'
import { labels, serviceName, stackFilter } from './labels.ts'

/** As it stands in order of time; when it is followed, as it comes. */
export async function* readLogs(client: Client, project: string, options: LogOptions): AsyncGenerator<TargetLine> {
  const { services: named, signal, follow } = options
  const filters = stackFilter(project)
  const [found, tasks] = await Promise.all([
    client.call(swarmObjects.serviceList, { query: { filters } }, { signal }),
    client.call(swarmObjects.taskList, { query: { filters } }, { signal }),
  ])
  const slots = new Map(tasks.map(each => [each.ID, each.Slot]))
  const wanted = named && new Set(named.map(service => serviceName(project, service)))
  const sources = found
    .filter(({ Spec }) => wanted?.has(Spec.Name) ?? true)
    .map(({ ID, Spec }) =>
      linesOf(
        client,
        {
          id: ID,
          service: Spec.Labels?.[labels.service] ?? Spec.Name,
          name: Spec.Name,
          slots,
        },
        options,
      ),
    )
  if (follow) return yield* together(sources)
  const lines: TargetLine[] = []
  for await (const line of together(sources)) lines.push(line)
  yield* lines.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0))
}

interface Source {
  readonly id: string
  readonly service: string
  readonly name: string
  /** Of a task. */
  readonly slots: ReadonlyMap<string, number | undefined>
}

async function* linesOf(
  client: Client,
  source: Source,
  { follow, tail, since, signal }: LogOptions,
): AsyncGenerator<TargetLine> {
  const query = {
    stdout: true,
    stderr: true,
    timestamps: true,
    details: true,
    follow,
    ...(tail === undefined ? {} : { tail: String(tail) }),
    ...(since === undefined ? {} : { since: Math.floor(since) }),
  }
  const output = await client.stream(swarmObjects.serviceLogs, { params: { id: source.id }, query }, { signal })
  const rest = { stdout: '', stderr: '' }
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() }
  for await (const { stream, data } of output) {
    const lines = (rest[stream] + decoders[stream].decode(data, { stream: true })).split('\n')
    rest[stream] = lines.pop() ?? ''
    for (const line of lines) yield lineOf(line, stream, source)
  }
  for (const stream of ['stdout', 'stderr'] as const)
    if (rest[stream] !== '') yield lineOf(rest[stream], stream, source)
}

/** "2026-01-02T03:04:05.000000006Z com.docker.swarm.node.id=…,com.docker.swarm.task.id=… text". */
export function lineOf(line: string, stream: TargetLine['stream'], { service, name, slots }: Source): TargetLine {
  const [, time = '', details = '', text = line] = /^(\S+) (\S*) (.*)$/s.exec(line) ?? []
  const task = /(?:^|,)com\.docker\.swarm\.task\.id=([a-z0-9]+)/.exec(details)?.[1]
  const number = task === undefined ? undefined : slots.get(task)
  return {
    service,
    name: `${name}.${number ?? task ?? ''}`,
    number,
    stream,
    time,
    text: text.replace(/\r$/, ''),
  }
}
