import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ApplyEvent } from '../../src/apply/events.ts'
import { plainProgress } from '../../src/cli/progress/plain.ts'
import { Screen } from '../../src/cli/screen.ts'
import { Plan } from '../../src/plan/plan.ts'

function recorder() {
  const lines: string[] = []
  const sink = { write: (text: string | Uint8Array) => lines.push(String(text).trimEnd()) > 0 }
  return { lines, screen: new Screen({ stdout: sink, stderr: sink, stdinIsTTY: false, env: {}, ansi: 'never' }) }
}

const on = { name: 'shop-web-1', service: 'web', container: 'c', cause: 'x' }

function replacing(): Plan {
  const plan = new Plan()
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
  plan.add({ kind: 'start-container', ...on }, [3])
  return plan
}

describe('plain progress', () => {
  test('says one line for all operations on a container', () => {
    const { lines, screen } = recorder()
    const plan = replacing()
    let now = 0
    const progress = plainProgress(screen, plan, () => (now += 100))
    for (const node of plan.nodes) {
      progress.tell({ kind: 'started', node })
      progress.tell({ kind: 'done', node, milliseconds: 1 })
    }
    assert.deepEqual(lines, ['✓ container shop-web-1  recreated 0.7s'])
  })

  test('says what failed once, and not what that kept from being done', () => {
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
    assert.deepEqual(lines, ['✗ container shop-web-1  failed'])
  })

  test('passes on warnings at once', () => {
    const { lines, screen } = recorder()
    const plan = replacing()
    plainProgress(screen, plan).tell({ kind: 'warning', node: plan.nodes[0]!, text: 'old kernel' })
    assert.deepEqual(lines, ['warning shop-web-1: old kernel'])
  })
})
