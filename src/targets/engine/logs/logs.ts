/** The logs of many containers, as they stand, as one stream of lines. */
import { type ContainerSummary, containerEndpoints } from '../../../api/containers.ts'
import type { PastLog } from '../../../api/past-logs.ts'
import type { Client } from '../../../client/client.ts'
import { isFailure, messageOf } from '../../../lib/failure.ts'
import { labels, projectFilter } from '../labels.ts'
import { observedContainer } from '../observed.ts'
import { lastingName } from '../plan/names.ts'
import { type Line, readLog } from './log-lines.ts'
import { nanoseconds } from './output.ts'
import { listPastLogs } from './past-logs.ts'

export interface LogLine {
  readonly service: string
  /** Container name. */
  readonly container: string
  readonly number: number | undefined
  readonly stream: 'stdout' | 'stderr'
  /** RFC 3339 with nanoseconds, when asked for. */
  readonly time: string | undefined
  /** Without its newline. */
  readonly text: string
}

export type FollowEvent =
  | ({ readonly kind: 'line' } & LogLine)
  | {
      readonly kind: 'exited'
      readonly service: string
      readonly container: string
      readonly number: number | undefined
      readonly exitCode: number
      /** The engine starts it again by its restart policy. */
      readonly restarts: boolean
    }
  /** Its logging driver keeps nothing that could be read. */
  | { readonly kind: 'unreadable'; readonly service: string; readonly container: string; readonly text: string }

export interface FollowOptions {
  readonly signal?: AbortSignal | undefined
  /** Undefined: all. */
  readonly services?: readonly string[]
  /** Lines of each container's past; undefined: all. */
  readonly tail?: number
  /** Seconds since 1970, with a fraction. */
  readonly since?: number
  readonly until?: number
  readonly timestamps?: boolean
}

export interface Source {
  readonly id: string
  readonly name: string
  readonly service: string
  readonly number: number | undefined
  /** It is no more: what it has printed was kept. */
  readonly isPast?: true
}

/** What is there, in order of time over all containers; those that are no more count as the past of the replica that they were. */
export async function* readLogs(
  client: Client,
  projectName: string,
  options: FollowOptions = {},
): AsyncGenerator<FollowEvent> {
  const [listed, past] = await Promise.all([
    listSources(client, projectName, options),
    listPastLogs(client, projectName, options),
  ])
  const sources = [...past.map(pastSource), ...listed.map(({ source }) => source)]
  yield* merged(client, sources, options)
}

/** The project's containers in any state, sorted by name. */
export async function listSources(
  client: Client,
  projectName: string,
  { services, signal }: Pick<FollowOptions, 'services' | 'signal'>,
): Promise<readonly { readonly item: ContainerSummary; readonly source: Source }[]> {
  const query = { all: true, filters: projectFilter(projectName) }
  const items = await client.call(containerEndpoints.containerList, { query }, { signal })
  return items
    .map(item => ({ item, source: sourceOf(item) }))
    .filter(
      ({ item, source }) => item.Labels?.[labels.hook] === undefined && (services?.includes(source.service) ?? true),
    )
    .sort((a, b) => (a.source.name < b.source.name ? -1 : 1))
}

function sourceOf(item: ContainerSummary): Source {
  const { id, name, service, number } = observedContainer(item)
  return { id, name: lastingName(name), service, number }
}

function pastSource({ Id, Name, Labels }: PastLog): Source {
  const number = Labels[labels.number]
  return {
    id: Id,
    name: Name,
    service: Labels[labels.service] ?? '',
    number: number === undefined ? undefined : Number(number),
    isPast: true,
  }
}

type Lines = AsyncGenerator<Line>

/** The last lines of all that a replica was, one after the other. */
async function* lastOf(all: readonly Lines[], count: number): Lines {
  const found: Line[] = []
  for (const lines of all) for await (const line of lines) found.push(line)
  const time = ({ time = '' }: Line) => time
  yield* found
    .sort((a, b) => (time(a) < time(b) ? -1 : time(a) > time(b) ? 1 : 0))
    .slice(count === 0 ? found.length : -count)
}

async function* merged(
  client: Client,
  sources: readonly Source[],
  options: FollowOptions,
): AsyncGenerator<FollowEvent> {
  const { signal, tail, timestamps = false } = options
  const query = {
    follow: false,
    tail,
    since: nanoseconds(options.since),
    until: nanoseconds(options.until),
    // to merge by
    timestamps: timestamps || sources.length > 1,
  }
  const linesOf = ({ id, isPast }: Source): Lines => readLog(client, id, { query, signal, isPast })
  const replicas = Object.groupBy(sources, ({ name }) => name)
  const logs = Object.values(replicas).flatMap((own = []) =>
    tail === undefined || own.length === 1
      ? own.map(source => ({ source, lines: linesOf(source) }))
      : [{ source: own.at(-1)!, lines: lastOf(own.map(linesOf), tail) }],
  )
  type Head = { source: Source; lines: Lines; line: Line }
  const unreadable: FollowEvent[] = []
  const next = async ({ source, lines }: Omit<Head, 'line'>): Promise<Head | undefined> => {
    try {
      const { value, done } = await lines.next()
      return done ? undefined : { source, lines, line: value }
    } catch (error) {
      // forgotten since it was listed
      if (source.isPast && isFailure(error, 'not-found')) return undefined
      if (!isFailure(error, 'unsupported')) throw error
      const { service, name: container } = source
      unreadable.push({ kind: 'unreadable', service, container, text: messageOf(error) })
      return undefined
    }
  }
  try {
    let heads = (await Promise.all(logs.map(next))).filter(head => head !== undefined)
    yield* unreadable
    while (heads.length > 0) {
      const first = heads.reduce((a, b) => ((b.line.time ?? '') < (a.line.time ?? '') ? b : a))
      const { id: _, name, isPast: _past, ...who } = first.source
      const line = { ...first.line, time: timestamps ? first.line.time : undefined }
      yield { kind: 'line', ...who, container: name, ...line }
      const following = await next(first)
      heads = heads.flatMap(head => (head === first ? (following ?? []) : head))
    }
  } finally {
    await Promise.all(logs.map(({ lines }) => lines.return(undefined)))
  }
}
