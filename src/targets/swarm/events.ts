/** What happens to a stack in a swarm: a manager tells of services, secrets, configs and networks; of tasks it has no events, so that they are looked at. */
import { setTimeout as pause } from 'node:timers/promises'
import type { EventMessage } from '../../api/events.ts'
import { type SwarmService, type SwarmTask, swarmObjects } from '../../api/swarm-objects.ts'
import { systemEndpoints } from '../../api/system.ts'
import type { Client } from '../../client/client.ts'
import type { EventOptions, TargetEvent } from '../target.ts'
import { together } from '../together.ts'
import { serviceName, stackFilter } from './labels.ts'
import { keyOf, taskName } from './slots.ts'
import { hasEnded } from './task-states.ts'

/** Milliseconds between two looks at the tasks. */
const every = 1000

/** What happened before is told only with `since`: of a task what it came to last. */
export async function* readEvents(client: Client, project: string, options: EventOptions): AsyncGenerator<TargetEvent> {
  const { services, until, signal } = options
  const now = Date.now()
  const isOver = until !== undefined && until * 1000 <= now
  const ends =
    until === undefined || isOver ? signal : AbortSignal.any([signal, AbortSignal.timeout(until * 1000 - now)])
  const all = together([
    objectEvents(client, project, options),
    taskEvents(client, project, { ...options, ends, isOver }),
  ])
  const isWanted = ({ service }: TargetEvent) => services === undefined || services.includes(service)
  if (!isOver) {
    for await (const event of all) if (isWanted(event)) yield event
    return
  }
  const found: TargetEvent[] = []
  for await (const event of all) if (isWanted(event)) found.push(event)
  yield* found.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0))
}

async function* objectEvents(
  client: Client,
  project: string,
  { since, until, signal }: EventOptions,
): AsyncGenerator<TargetEvent> {
  const query = {
    filters: { scope: ['swarm'], type: ['service', 'secret', 'config', 'network'] },
    since: nanoseconds(since),
    until: nanoseconds(until),
  }
  for await (const event of await client.stream(systemEndpoints.events, { query }, { signal })) {
    const row = rowOf(event, project)
    if (row) yield row
  }
}

/** Undefined for what is not of the stack: its objects are known by their names alone. */
export function rowOf({ Type, Action, Actor, time, timeNano }: EventMessage, project: string): TargetEvent | undefined {
  const { name = '', ...attributes } = Actor.Attributes
  const start = serviceName(project, '')
  if (!name.startsWith(start)) return undefined
  const fraction = String(BigInt(timeNano) % 1_000_000_000n).padStart(9, '0')
  return {
    action: Action,
    attributes: { name, ...attributes },
    id: Actor.ID,
    service: Type === 'service' ? name.slice(start.length) : '',
    time: `${new Date(time * 1000).toISOString().slice(0, 19)}.${fraction}Z`,
    type: Type,
  }
}

interface Look extends EventOptions {
  readonly ends: AbortSignal
  /** One look tells all. */
  readonly isOver: boolean
}

async function* taskEvents(
  client: Client,
  project: string,
  { since, until, ends, isOver }: Look,
): AsyncGenerator<TargetEvent> {
  const states = new Map<string, string>()
  const known = new Map<string, SwarmService>()
  const query = { filters: stackFilter(project) }
  for (let isFirst = true; !ends.aborted; isFirst = false) {
    try {
      const [nodes, services, tasks] = await Promise.all([
        client.call(swarmObjects.nodeList, {}, { signal: ends }),
        client.call(swarmObjects.serviceList, { query }, { signal: ends }),
        client.call(swarmObjects.taskList, { query }, { signal: ends }),
      ])
      // a service that was removed is not listed while its tasks end
      for (const each of services) known.set(each.ID, each)
      const rows = tasks.flatMap(task => {
        const { ID, Status, ServiceID } = task
        const service = known.get(ServiceID)
        if (!service || states.get(ID) === Status.State) return []
        states.set(ID, Status.State)
        const at = Date.parse(Status.Timestamp) / 1000
        const isTold = isFirst ? since !== undefined && at >= since : true
        return isTold && (until === undefined || at <= until)
          ? [taskRow(task, service, nodes.find(each => each.ID === task.NodeID)?.Description.Hostname ?? task.NodeID)]
          : []
      })
      yield* rows.sort((a, b) => (a.time < b.time ? -1 : 1))
      if (isOver) return
      await pause(every, undefined, { signal: ends })
    } catch (error) {
      if (ends.aborted) return
      throw error
    }
  }
}

/** `node`: its name; undefined before it has one. */
export function taskRow(task: SwarmTask, service: SwarmService, node: string | undefined): TargetEvent {
  const { ID, Status } = task
  // a manager says 0 of what still runs
  const exitCode = hasEnded(Status.State) ? Status.ContainerStatus?.ExitCode : undefined
  return {
    action: Status.State,
    attributes: {
      name: taskName(task, service),
      ...(node ? { node } : {}),
      ...(Status.Err ? { message: Status.Err } : {}),
      ...(exitCode === undefined ? {} : { exitCode: String(exitCode) }),
    },
    id: ID,
    service: keyOf(service),
    time: Status.Timestamp.replace(/(?:\.(\d+))?Z$/, (_, digits: string = '') => `.${digits.padEnd(9, '0')}Z`),
    type: 'task',
  }
}

function nanoseconds(seconds: number | undefined): bigint | undefined {
  return seconds === undefined ? undefined : BigInt(Math.round(seconds * 1e6)) * 1000n
}
