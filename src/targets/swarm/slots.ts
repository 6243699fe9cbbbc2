/** Which replica of its service a task is. */
import type { SwarmService, SwarmTask } from '../../api/swarm-objects.ts'
import { labels } from './labels.ts'

/** From 1. Undefined for a service of every node; a replicated job's are counted from 0, which the API leaves out. */
export function slotOf({ Slot }: Pick<SwarmTask, 'Slot'>, service: SwarmService | undefined): number | undefined {
  return service?.Spec.Mode.ReplicatedJob ? (Slot ?? 0) + 1 : Slot
}

/** "shop_web.2", of a service of every node "shop_web.NODE". */
export function taskName(task: Pick<SwarmTask, 'Slot' | 'NodeID'>, service: SwarmService): string {
  return `${service.Spec.Name}.${slotOf(task, service) ?? task.NodeID ?? ''}`
}

/** As the stack calls it. */
export function keyOf({ Spec }: SwarmService): string {
  return Spec.Labels?.[labels.service] ?? Spec.Name
}
