/** The hooks of a service as operations on one of its containers. */
import type { Hook, Service } from '../../../model/service.ts'
import type { NodeId, Ref } from '../../../plan/operation.ts'
import type { EnginePlan } from '../engine-plan.ts'
import type { PlannedHook } from '../operation.ts'

export interface Hooked {
  readonly name: string
  readonly service: string | undefined
  readonly container: Ref
}

const members = { post_start: 'postStart', pre_stop: 'preStop' } as const satisfies Record<string, keyof Service>

/** One after the other, after `after`; what comes next comes after the last of them, or after `after` when there are none. */
export function planHooks(
  plan: EnginePlan,
  phase: keyof typeof members,
  {
    service,
    on,
    after,
  }: { readonly service: Service | undefined; readonly on: Hooked; readonly after: readonly NodeId[] },
): readonly NodeId[] {
  let last = after
  for (const hook of service?.[members[phase]] ?? []) {
    const { name, container } = on
    const operation = { kind: 'run-hook', cause: phase, phase, hook: planned(hook), name, container } as const
    last = [plan.add({ ...operation, service: on.service }, last)]
  }
  return last
}

/** As it is run in a container. */
export function planned({ command, environment, user, workingDir, privileged }: Hook): PlannedHook {
  return {
    command,
    environment: Object.entries(environment).map(([key, value]) => (value === null ? key : `${key}=${value}`)),
    user,
    workingDir,
    privileged,
  }
}
