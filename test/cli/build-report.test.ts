import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GrpcFailure } from '../../src/api/buildkit/grpc-status.ts'
import { BuildReport } from '../../src/cli/build-report.ts'
import { Screen } from '../../src/cli/screen.ts'
import { BuildFailure } from '../../src/client/buildkit/build-failure.ts'
import { Failure } from '../../src/lib/failure.ts'
import { EnginePlan } from '../../src/targets/engine/engine-plan.ts'

/** What is said of a build whose second step has failed. */
function reported(json: boolean): string {
  let written = ''
  const sink = { write: (text: string | Uint8Array) => (written += text) !== '' }
  const screen = new Screen({ stdout: sink, stderr: sink, stdinIsTTY: false, env: {}, ansi: 'never' })
  const plan = new EnginePlan()
  const place = { file: 'compose.yaml', line: 3, column: 5 }
  const build = { name: 'shop-web', services: ['web'], order: {} as never, place: () => place, cause: '' }
  plan.add({ kind: 'build-image', ...build })
  const node = plan.nodes[0]!
  const report = new BuildReport()
  const step = { kind: 'step', step: 's', name: '[2/2] RUN x', cached: false, missed: undefined, started: 1 } as const
  const data = Buffer.from('one\n\x1b[2Jtwo\nthree')
  report.take({ kind: 'build', node, event: { ...step, completed: undefined, error: undefined } })
  report.take({ kind: 'build', node, event: { kind: 'output', step: 's', stream: 'stdout', data, at: 1 } })
  report.take({ kind: 'build', node, event: { ...step, completed: 2, error: 'no' } })
  const source = {
    info: {
      filename: 'Dockerfile',
      data: Buffer.from('FROM a\n# x\n\nRUN x \\\n  y\nCMD z\nUSER u\nENV A=1\n').toString('base64'),
    },
    ranges: [{ start: { line: 4 }, end: { line: 5 } }],
  }
  const details = [
    { typeUrl: 'github.com/moby/buildkit/errdefs.Source+json', value: Buffer.from(JSON.stringify(source)) },
  ]
  const cause = new BuildFailure(new GrpcFailure('internal', 'no', { details }))
  report.print(screen, [{ node, failure: new Failure('internal', 'no', { cause }) }], { json })
  return written
}

test('a build that failed is told with what it printed, its place in the stack, and the lines of the Dockerfile', () => {
  assert.deepEqual(reported(false).trimEnd().split('\n'), [
    'Last output of [2/2] RUN x:',
    '  one',
    '  \\x1b[2Jtwo',
    '  three',
    'compose.yaml:3:5 service web',
    'Dockerfile:4',
    '  2 |     # x',
    '  3 |',
    '  4 | >>> RUN x \\',
    '  5 | >>>   y',
    '  6 |     CMD z',
    '  7 |     USER u',
  ])
})

test('with --progress json it is one object', () => {
  const { event, service, place, step, output, source } = JSON.parse(reported(true))
  assert.deepEqual([event, service, place.line, step], ['build-failed', 'web', 3, '[2/2] RUN x'])
  assert.deepEqual(output, ['one', '\x1b[2Jtwo', 'three'])
  assert.deepEqual(source.ranges, [{ first: 4, last: 5 }])
})
