/** HostSpec → Program: operations that need no process. */
import type { CgroupFacts } from './host.ts'
import { removeSteps } from './parts/cgroup.ts'
import { sysctlPath } from './parts/namespaces.ts'
import { operationSteps } from './parts/network.ts'
import type { Program } from './program.ts'
import type { HostOperation, HostSpec } from './spec.ts'
import { type Step, step } from './steps.ts'

/** How long a cgroup may stay busy, in milliseconds: the kernel lets go of its last task in its own time. */
const patience = 5000

function stepsOf(operation: HostOperation, facts: CgroupFacts): readonly Step[] {
  if (operation.kind === 'delete-cgroup') return removeSteps(facts, operation.path, patience)
  if (operation.kind === 'sysctl') return [step('write', { path: sysctlPath(operation.name), value: operation.value })]
  return operationSteps(operation)
}

/** A failing operation ends the run; what it and the ones before it made is taken back, last first. */
export function compileHost(spec: HostSpec, facts: CgroupFacts): Program {
  return {
    host: spec.operations.flatMap(operation => stepsOf(operation, facts)),
    child: [],
  }
}
