import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { BuildLines } from '../../src/cli/progress/build-lines.ts'
import { buildRows, cachedText } from '../../src/cli/progress/build-rows.ts'
import { BuildSteps } from '../../src/cli/progress/build-steps.ts'
import { Screen } from '../../src/cli/screen.ts'
import type { BuildEvent } from '../../src/client/buildkit/events.ts'
import { EnginePlan } from '../../src/targets/engine/engine-plan.ts'

type Step = BuildEvent & { kind: 'step' }

const step = (name: string, own: Partial<Step> = {}): Step => ({
  kind: 'step',
  step: `sha256:${name}`,
  name,
  cached: false,
  missed: undefined,
  started: undefined,
  completed: undefined,
  error: undefined,
  ...own,
})
const output = (name: string, text: string | Uint8Array, at = 1500): BuildEvent => ({
  kind: 'output',
  step: `sha256:${name}`,
  stream: 'stdout',
  data: Buffer.from(text),
  at,
})

/** The lines of builds of these services: [which of them, event]. */
function lines(services: readonly string[], events: readonly (readonly [number, BuildEvent])[]): readonly string[] {
  let written = ''
  const sink = {
    write(text: string | Uint8Array) {
      written += text
      return true
    },
  }
  const screen = new Screen({ stdout: sink, stderr: sink, stdinIsTTY: false, env: {}, ansi: 'never' })
  const plan = new EnginePlan()
  for (const name of services) {
    const order = { names: [name] } as never
    plan.add({ kind: 'build-image', cause: '', name, services: [name], order, place: () => undefined })
  }
  const shown = new BuildLines(screen, plan)
  for (const [i, event] of events) shown.take({ kind: 'build', node: plan.nodes[i]!, event })
  shown.flush()
  return written.trimEnd().split('\n')
}

describe('BuildLines', () => {
  test('tells a step when it starts, what it prints, and how it ended, as BuildKit does', () => {
    const run = '[2/3] RUN make'
    const found = lines(
      ['a'],
      [
        [0, step(run)],
        [0, step('[3/3] COPY . .')],
        [0, step(run, { started: 1000 })],
        [0, output(run, 'one\ntw')],
        [0, output(run, 'o\nlast', 2500)],
        [0, step(run, { started: 1000, completed: 3000 })],
        [0, step('[3/3] COPY . .', { cached: true, started: 3000, completed: 3000 })],
      ],
    )
    assert.deepEqual(found, [
      '#1 [2/3] RUN make',
      '#1 0.500 one',
      '#1 1.500 two',
      '#1 2.000 last',
      '#1 DONE 2.0s',
      '#2 [3/3] COPY . .',
      '#2 CACHED',
    ])
  })

  test('tells why a step was not cached, and why it failed', () => {
    const run = 'RUN x'
    const found = lines(
      ['a'],
      [
        [0, step(run, { started: 0, missed: 'ARG V: 1 → 2' })],
        [0, step(run, { started: 0, completed: 100, error: 'exit code: 1' })],
      ],
    )
    assert.deepEqual(found, ['#1 RUN x', '#1 not cached: ARG V: 1 → 2', '#1 ERROR: exit code: 1'])
  })

  test('numbers the steps of several builds together, each with the name of its service', () => {
    const found = lines(
      ['web', 'api'],
      [
        [0, step('[internal] load .dockerignore', { started: 1, completed: 12 })],
        [1, step('[internal] load .dockerignore', { started: 1, completed: 13 })],
        [1, step('exporting to image', { started: 20, completed: 40 })],
      ],
    )
    assert.deepEqual(
      found.filter(line => !line.includes('DONE')),
      ['#1 [web internal] load .dockerignore', '#2 [api internal] load .dockerignore', '#3 [api] exporting to image'],
    )
  })

  test('says once that a step is done which goes on after a glance', () => {
    const load = '[internal] load build definition'
    const found = lines(
      ['a'],
      [
        [0, step(load, { started: 1000, completed: 1000.04 })],
        [0, step(load, { started: 1001 })],
        [0, step(load, { started: 1001, completed: 1500 })],
      ],
    )
    assert.deepEqual(found, [`#1 ${load}`, '#1 DONE 0.5s'])
  })

  test('shows what a command prints without letting it drive the terminal', () => {
    const found = lines(
      ['a'],
      [
        [0, step('x', { started: 1500 })],
        [0, output('x', '10%\r50%\rdone\r\n\x1b[2Jé')],
        [0, output('x', Buffer.from([0xc3]))],
        [0, output('x', Buffer.from([0xa9, 0x0a]))],
      ],
    )
    assert.deepEqual(found, ['#1 x', '#1 0.000 done', '#1 0.000 \\x1b[2Jéé'])
  })
})

describe('what a live list shows of a build', () => {
  const steps = new BuildSteps()
  for (const event of [
    step('[internal] load .dockerignore', { started: 0, completed: 10 }),
    step('[1/4] FROM base', { cached: true, started: 0, completed: 0 }),
    step('[2/4] COPY src .', { started: 0, completed: 400, missed: 'src/a.ts changed' }),
    step('[3/4] RUN make', { started: 400 }),
    step('[4/4] CMD x'),
  ])
    steps.take(event)
  const made = output('[3/4] RUN make', 'compiling\n') as BuildEvent & { kind: 'output' }
  steps.take(made)
  steps.lines(made)
  const paint = (_: unknown, text: string) => text

  test('is what runs and what is done, with times and reasons', () => {
    assert.deepEqual(buildRows(steps, { paint, now: 1400, width: 60, most: 5 }), [
      '✔ [1/4] FROM base CACHED 0.0s',
      '✔ [2/4] COPY src . (src/a.ts changed) 0.4s',
      '→ [3/4] RUN make 1.0s',
      '    compiling',
    ])
    assert.equal(cachedText(steps), '1 of 3 steps cached')
  })

  test('is what runs where there is little room', () => {
    assert.deepEqual(buildRows(steps, { paint, now: 1400, width: 12, most: 1 }), [
      '→ [3/4] RUN m… 1.0s',
      '    compiling',
    ])
  })
})
