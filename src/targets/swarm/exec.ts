/** A command in a task, as far as its node is the one whose engine is spoken to: a manager passes none on to others. */
import { execEndpoints } from '../../api/exec.ts'
import { type SwarmTask, swarmObjects } from '../../api/swarm-objects.ts'
import { systemEndpoints } from '../../api/system.ts'
import type { Client } from '../../client/client.ts'
import { Failure } from '../../lib/failure.ts'
import type { ExecOptions, ExecSession } from '../target.ts'
import { serviceName } from './labels.ts'
import { slotOf } from './slots.ts'

/** @throws Failure when no such task runs on this node */
export async function execIn(client: Client, project: string, options: ExecOptions): Promise<ExecSession> {
  const { command, tty, signal } = options
  const id = await containerOf(client, project, options)
  const { Id } = await client.call(
    execEndpoints.execCreate,
    {
      params: { id },
      body: { AttachStdin: true, AttachStdout: true, AttachStderr: true, Tty: tty, Cmd: [...command] },
    },
    { signal },
  )
  const session = await client.hijack(execEndpoints.execStart, { params: { id: Id }, body: { Tty: tty } }, { signal })
  return {
    session,
    resize: (rows, columns) =>
      client.call(execEndpoints.execResize, { params: { id: Id }, query: { h: String(rows), w: String(columns) } }),
    ended: async () => {
      const { ExitCode } = await client.call(execEndpoints.execInspect, { params: { id: Id } }, { signal })
      if (ExitCode === null)
        throw new Failure('internal', 'Cannot tell how the command ended: the engine says that it runs')
      return ExitCode
    },
  }
}

async function containerOf(
  client: Client,
  project: string,
  { service, index, signal }: Pick<ExecOptions, 'service' | 'index' | 'signal'>,
): Promise<string> {
  const name = serviceName(project, service)
  const [services, nodes, { Swarm }] = await Promise.all([
    client.call(swarmObjects.serviceList, { query: { filters: { name: [name] } } }, { signal }),
    client.call(swarmObjects.nodeList, {}, { signal }),
    client.call(systemEndpoints.info, {}, { signal }),
  ])
  const found = services.find(({ Spec }) => Spec.Name === name)
  const cannot = `Cannot run a command in service "${service}"`
  if (!found) throw new Failure('not-found', `${cannot}: the swarm has no "${name}"`, { hint: 'See tscompose ps' })
  const tasks = await client.call(swarmObjects.taskList, { query: { filters: { service: [found.ID] } } }, { signal })
  const running = tasks
    .filter(({ Status, DesiredState }) => DesiredState === 'running' && Status.State === 'running')
    .sort(bySlot)
  const meant = index === undefined ? running : running.filter(task => slotOf(task, found) === index)
  if (meant.length === 0)
    throw new Failure('not-found', `${cannot}: no ${index === undefined ? 'task' : `task ${index}`} of it runs`, {
      hint: 'See tscompose ps',
    })
  const here = meant.find(({ NodeID }) => NodeID === Swarm['NodeID'])
  const [first] = meant
  const container = (here ?? first)?.Status.ContainerStatus?.ContainerID
  if (here && container !== undefined) return container
  const node = nodes.find(({ ID }) => ID === first!.NodeID)?.Description.Hostname ?? first!.NodeID
  throw new Failure('unsupported', `${cannot}: it runs on node "${node}", and a swarm passes no commands on`, {
    hint: `On that node: docker exec -it ${(container ?? '').slice(0, 12)} COMMAND; or name the engine of the node that is a manager with -H`,
  })
}

function bySlot(a: SwarmTask, b: SwarmTask): number {
  return (a.Slot ?? 0) - (b.Slot ?? 0)
}
