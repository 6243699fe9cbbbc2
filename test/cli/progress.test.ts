import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ApplyEvent } from '../../src/apply/events.ts'
import { plainProgress } from '../../src/cli/progress/plain.ts'
import { Screen } from '../../src/cli/screen.ts'
import { EnginePlan } from '../../src/targets/engine/engine-plan.ts'

function recorder() {
  const lines: string[] = []
  const sink = { write: (text: string | Uint8Array) => lines.push(String(text).trimEnd()) > 0 }
  return { lines, screen: new Screen({ stdout: sink, stderr: sink, stdinIsTTY: false, env: {}, ansi: 'never' }) }
}

const on = { name: 'shop-web-1', service: 'web', container: 'c', cause: 'x' }

function replacing(): EnginePlan {
  const plan = new EnginePlan()
  plan.keep('shop-db-1')
  plan.add({
    kind: 'create-container',
    cause: 'x',
    name: 'shop-web-1',
    service: 'web',
    createName: 't',
    platform: undefined,
    body: {},
    late: [],
  })
  plan.add({ kind: 'stop-container', timeout: undefined, ...on }, [1])
  plan.add({ kind: 'remove-container', force: false, volumes: false, ...on }, [2])
  plan.add({ kind: 'rename-container', ...on }, [3])
  plan.add({ kind: 'start-container', ...on }, [4])
  return plan
}

/** A clock that is moved by hand. */
function handClock() {
  const calls = new Set<() => void>()
  let now = 0
  return {
    now: () => now,
    every: (_: number, call: () => void) => {
      calls.add(call)
      return () => void calls.delete(call)
    },
    pass(milliseconds: number) {
      now += milliseconds
      for (const call of calls) call()
    },
    waiting: () => calls.size,
  }
}

describe('plain progress', () => {
  test("says in Docker Compose's words what is begun and done, and what runs already", () => {
    const { lines, screen } = recorder()
    const plan = replacing()
    const progress = plainProgress(screen, plan)
    for (const node of plan.nodes) {
      progress.tell({ kind: 'started', node })
      progress.tell({ kind: 'done', node, outcome: undefined, milliseconds: 1 })
    }
    assert.deepEqual(lines, [
      ' Container shop-db-1  Running',
      ' Container shop-web-1  Recreate',
      ' Container shop-web-1  Recreated',
      ' Container shop-web-1  Starting',
      ' Container shop-web-1  Started',
    ])
  })

  test('says what failed once, and nothing of what that kept from being done', () => {
    const { lines, screen } = recorder()
    const plan = replacing()
    const progress = plainProgress(screen, plan)
    const [first, ...rest] = plan.nodes
    const events: ApplyEvent[] = [
      { kind: 'started', node: first! },
      { kind: 'failed', node: first!, error: new Error('no'), milliseconds: 1 },
      ...rest.map(node => ({ kind: 'skipped', node, because: first! }) as const),
    ]
    for (const event of events) progress.tell(event)
    assert.deepEqual(lines.slice(1), [' Container shop-web-1  Recreate', ' Container shop-web-1  Error'])
  })

  test('says every so often for what it waits, and what came of it', () => {
    const { lines, screen } = recorder()
    const clock = handClock()
    const plan = new EnginePlan()
    const wait = { kind: 'wait-container', condition: 'healthy', required: true, ...on } as const
    plan.add(wait)
    plan.add({ ...wait, name: 'shop-job-1', service: 'job', condition: 'completed' })
    const progress = plainProgress(screen, plan, clock)
    const [web, job] = plan.nodes
    progress.tell({ kind: 'started', node: web! })
    progress.tell({ kind: 'started', node: job! })
    clock.pass(12_000)
    progress.tell({ kind: 'done', node: job!, outcome: 'exited', milliseconds: 1 })
    progress.tell({ kind: 'done', node: web!, outcome: 'healthy', milliseconds: 1 })
    assert.deepEqual(lines, [
      ' Container shop-web-1  Waiting',
      ' Container shop-job-1  Waiting',
      ' Container shop-web-1  Waiting for web to be healthy (12 s)',
      ' Container shop-job-1  Waiting for job to complete (12 s)',
      ' Container shop-job-1  Exited',
      ' Container shop-web-1  Healthy',
    ])
    assert.equal(clock.waiting(), 0)
  })

  test('says of a network that is made anew only that the old one is gone, as Compose does', () => {
    const { lines, screen } = recorder()
    const plan = new EnginePlan()
    plan.add({ kind: 'remove-network', cause: 'x', name: 'shop_default', id: 'n' })
    plan.add({ kind: 'create-network', cause: 'x', name: 'shop_default', body: { Name: 'shop_default' } }, [1])
    const progress = plainProgress(screen, plan)
    for (const node of plan.nodes) {
      progress.tell({ kind: 'started', node })
      progress.tell({ kind: 'done', node, outcome: undefined, milliseconds: 1 })
    }
    assert.deepEqual(
      lines,
      ['Removed', 'Creating', 'Created'].map(word => ` Network shop_default  ${word}`),
    )
  })

  test('says that what others use stays', () => {
    const { lines, screen } = recorder()
    const plan = new EnginePlan()
    plan.add({ kind: 'remove-network', cause: 'x', name: 'shop_default', id: 'n' })
    const progress = plainProgress(screen, plan)
    progress.tell({ kind: 'started', node: plan.nodes[0]! })
    progress.tell({ kind: 'done', node: plan.nodes[0]!, outcome: 'in-use', milliseconds: 1 })
    assert.deepEqual(lines, [' Network shop_default  Removing', ' Network shop_default  Resource is still in use'])
  })

  test('passes on warnings at once', () => {
    const { lines, screen } = recorder()
    const plan = replacing()
    plainProgress(screen, plan).tell({ kind: 'warning', node: plan.nodes[0]!, text: 'old kernel' })
    assert.deepEqual(lines.slice(1), ['warning old kernel'])
  })
})
