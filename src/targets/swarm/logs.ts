/** What the tasks of a stack have printed, from whichever nodes they are on. */
import { type SwarmService, type SwarmTask, swarmObjects } from '../../api/swarm-objects.ts'
import { systemEndpoints } from '../../api/system.ts'
import type { Client } from '../../client/client.ts'
import type { LogOptions, TargetLine } from '../target.ts'
import { together } from '../together.ts'
import { serviceName, stackFilter } from './labels.ts'
import { keyOf, slotOf, taskName } from './slots.ts'

/** As it stands in order of time; when it is followed, as it comes, that of services which come later included. */
export async function* readLogs(client: Client, project: string, options: LogOptions): AsyncGenerator<TargetLine> {
  const { services: named, signal, follow } = options
  const filters = stackFilter(project)
  const wanted = named && new Set(named.map(service => serviceName(project, service)))
  const isWanted = ({ Spec }: SwarmService) => wanted?.has(Spec.Name) ?? true
  // before the list, so that none is missed between the two
  const events = follow ? await created(client, signal) : undefined
  const [found, tasks] = await Promise.all([
    client.call(swarmObjects.serviceList, { query: { filters } }, { signal }),
    client.call(swarmObjects.taskList, { query: { filters } }, { signal }),
  ])
  const read = (service: SwarmService, more: LogOptions) =>
    linesOf(client, { service, tasks: tasks.filter(({ ServiceID }) => ServiceID === service.ID) }, more)
  const sources = found.filter(isWanted).map(service => read(service, options))
  if (events) {
    const known = new Set(found.map(({ ID }) => ID))
    return yield* together(
      sources,
      (async function* () {
        for await (const { Actor } of events) {
          if (known.has(Actor.ID)) continue
          known.add(Actor.ID)
          const query = { filters: { ...filters, id: [Actor.ID] } }
          const [service] = await client.call(swarmObjects.serviceList, { query }, { signal })
          // what comes later is read from its beginning
          if (service && isWanted(service)) yield read(service, { ...options, tail: undefined })
        }
      })(),
    )
  }
  const lines: TargetLine[] = []
  for await (const line of together(sources)) lines.push(line)
  yield* lines.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0))
}

function created(client: Client, signal: AbortSignal) {
  const filters = { scope: ['swarm'], type: ['service'], event: ['create'] }
  return client.stream(systemEndpoints.events, { query: { filters } }, { signal })
}

interface Source {
  readonly service: SwarmService
  /** Those that are known; one that comes later is asked for when it says something. */
  readonly tasks: readonly SwarmTask[]
}

async function* linesOf(
  client: Client,
  { service, tasks }: Source,
  { follow, tail, since, signal, onWarning }: LogOptions,
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
  const known = new Map<string, SwarmTask | undefined>(tasks.map(each => [each.ID, each]))
  const taskOf = async (id: string | undefined) => {
    if (id === undefined || known.has(id)) return id === undefined ? undefined : known.get(id)
    const filters = { service: [service.ID] }
    for (const each of await client.call(swarmObjects.taskList, { query: { filters } }, { signal }))
      known.set(each.ID, each)
    // one that is forgotten is asked for once
    if (!known.has(id)) known.set(id, undefined)
    return known.get(id)
  }
  const output = await client.stream(swarmObjects.serviceLogs, { params: { id: service.ID }, query }, { signal })
  const rest = { stdout: '', stderr: '' }
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() }
  const told = async (line: string, stream: TargetLine['stream']) => {
    const { task, warning } = partsOf(line)
    if (warning === undefined) return [lineOf(line, stream, { service, task: await taskOf(task) })]
    onWarning?.(warning)
    return []
  }
  for await (const { stream, data } of output) {
    const lines = (rest[stream] + decoders[stream].decode(data, { stream: true })).split('\n')
    rest[stream] = lines.pop() ?? ''
    for (const line of lines) yield* await told(line, stream)
  }
  for (const stream of ['stdout', 'stderr'] as const) if (rest[stream] !== '') yield* await told(rest[stream], stream)
}

/** What a manager says between the lines, in place of those it cannot have. */
const lacking = /^logs: (?:.*desc = )?(?:warning: )?(.*)$/s

/** "2026-01-02T03:04:05.000000006Z com.docker.swarm.node.id=…,com.docker.swarm.task.id=… text". */
function partsOf(line: string) {
  const [, time = '', details = '', text = line] = /^(\S+) (\S*) (.*)$/s.exec(line) ?? []
  const isLine = /^\d{4}-\d\d-\d\dT/.test(line)
  const warning = isLine ? undefined : lacking.exec(line.replace(/^ /, ''))?.[1]
  return { time, text, warning, task: /(?:^|,)com\.docker\.swarm\.task\.id=([a-z0-9]+)/.exec(details)?.[1] }
}

export function lineOf(
  line: string,
  stream: TargetLine['stream'],
  { service, task }: { readonly service: SwarmService; readonly task: SwarmTask | undefined },
): TargetLine {
  const { time, text, task: id = '' } = partsOf(line)
  return {
    service: keyOf(service),
    name: task ? taskName(task, service) : `${service.Spec.Name}.${id}`,
    number: task && slotOf(task, service),
    stream,
    time,
    text: text.replace(/\r$/, ''),
  }
}
