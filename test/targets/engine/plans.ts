import { type RunOptions, run as walk } from '../../../src/apply/run.ts'
import type { EnginePlan } from '../../../src/targets/engine/engine-plan.ts'
import type { Operation, WaitCondition } from '../../../src/targets/engine/operation.ts'
import { enginePerformer } from '../../../src/targets/engine/perform/operations.ts'
import type { FakeClient } from './fake-client.ts'

export function run(plan: EnginePlan, client: FakeClient, options?: RunOptions): Promise<void> {
  return walk(plan, enginePerformer(client), options)
}

export function on(name: string) {
  return { cause: 'test', name, service: name, container: name }
}

export function start(name: string): Operation {
  return { kind: 'start-container', ...on(name) }
}

export function wait(name: string, condition: WaitCondition = 'healthy', required = true): Operation {
  return { kind: 'wait-container', condition, required, ...on(name), cause: `web needs ${name} ${condition}` }
}

export function create(name: string): Operation {
  return {
    kind: 'create-container',
    cause: 'test',
    name,
    service: name,
    createName: name,
    platform: undefined,
    body: { Image: 'busybox' },
    late: [],
  }
}
