/** What of a task is told: what a node has said of it last is not all, since it may be on its way out, or its node gone. */
import type { SwarmNode, SwarmTask } from '../../api/swarm-objects.ts'

/** The states of a task after which nothing more becomes of it (swarmkit, api/types.proto, TaskState). */
const ends: ReadonlySet<string> = new Set(['complete', 'failed', 'shutdown', 'rejected', 'remove', 'orphaned'])

type Nodes = ReadonlyMap<string, SwarmNode>

export function hasEnded(state: string): boolean {
  return ends.has(state)
}

/** Whether its node does not answer, so that nothing will be said of it any more. */
export function isLost({ NodeID = '', Status }: SwarmTask, nodes: Nodes): boolean {
  return !hasEnded(Status.State) && nodes.get(NodeID)?.Status.State === 'down'
}

/** "running"; "stopping" of one that is to end, "unreachable" of one whose node does not answer. */
export function stateOfTask(task: SwarmTask, nodes: Nodes): string {
  const { Status, DesiredState } = task
  if (isLost(task, nodes)) return 'unreachable'
  const isToEnd = DesiredState === 'shutdown' || DesiredState === 'remove'
  return isToEnd && Status.State === 'running' ? 'stopping' : Status.State
}
