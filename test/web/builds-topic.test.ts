/** Builds of a stack as a page is told of them, from a builder that tells what the test says. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { control } from '../../src/api/buildkit/control.ts'
import { implement, serveGrpc } from '../../src/api/buildkit/grpc-server.ts'
import type { From } from '../../src/api/buildkit/message.ts'
import type { Client } from '../../src/client/client.ts'
import { isFailure } from '../../src/lib/failure.ts'
import { sendBuild, sendBuilds } from '../../src/web/builds-topic.ts'
import type { BuildRow, BuildStep, Patch } from '../../src/web/wire.ts'
import { connectedPair } from '../support/connected-pair.ts'

type HistoryEvent = From<typeof control.listenBuildHistory.response>
type Status = From<typeof control.status.response>

const record = (ref: string, project: string, more: object = {}) => ({
  ref,
  frontendAttributes: new Map([
    ['filename', 'Dockerfile'],
    ['label:com.docker.compose.project', project],
  ]),
  exporters: [{ type: 'moby', attributes: new Map([['name', `${project}-web,other`]]) }],
  createdAt: { seconds: 100, nanos: 0 },
  ...more,
})
const over = { completedAt: { seconds: 102, nanos: 5e8 }, totalSteps: 3, cachedSteps: 1 }

/** Tells `before`, and to whoever stays `later`. */
function builder({ before, later = [], status = [] }: Told): Client {
  const service = implement(control, {
    async *listenBuildHistory({ earlyExit }) {
      yield* before
      if (earlyExit) return
      yield* later
      await new Promise(() => undefined)
    },
    async *status() {
      yield* status
    },
  })
  return {
    upgrade: async () => {
      const [near, far] = await connectedPair()
      void serveGrpc(far, { services: [service] })
      return near
    },
  } as unknown as Client
}
interface Told {
  readonly before: readonly HistoryEvent[]
  readonly later?: readonly HistoryEvent[]
  readonly status?: readonly Status[]
}

describe('sendBuilds()', () => {
  test('tells all there are of the stack at once, then each as it begins, ends and is removed', async () => {
    const told: Patch<BuildRow>[] = []
    const control = new AbortController()
    const client = builder({
      before: [
        { type: 1, record: record('a', 'shop', over) },
        { type: 1, record: record('b', 'blog', over) },
        { type: 1, record: { ref: 'c', createdAt: { seconds: 1, nanos: 0 } } },
      ],
      later: [
        { type: 0, record: record('d', 'shop') },
        { type: 1, record: record('d', 'shop', { ...over, error: { message: 'no room' } }) },
        { type: 2, record: { ref: 'b' } },
        { type: 2, record: { ref: 'a' } },
      ],
    })
    const sending = sendBuilds({ client, stack: 'shop', signal: control.signal }, async data => {
      told.push(data as Patch<BuildRow>)
      if (told.length === 4) control.abort()
    })
    await assert.rejects(sending, error => isFailure(error, 'cancelled'))
    const row = { image: 'shop-web', begun: 100_000, steps: 3, cached: 1, ended: 102_500 }
    assert.deepEqual(told, [
      { whole: true, set: [{ ref: 'a', ...row }], gone: [] },
      { set: [{ ref: 'd', image: 'shop-web', begun: 100_000, steps: 0, cached: 0 }], gone: [] },
      { set: [{ ref: 'd', ...row, error: 'no room' }], gone: [] },
      { set: [], gone: ['a'] },
    ])
  })
})

describe('sendBuild()', () => {
  const client = builder({
    before: [{ type: 1, record: record('a', 'shop', over) }],
    status: [
      { vertexes: [{ digest: 's1', name: 'FROM x', cached: true, started: { seconds: 1, nanos: 0 } }] },
      { vertexes: [{ digest: 's2', name: 'RUN make', started: { seconds: 1, nanos: 0 }, missed: 'a.txt changed' }] },
      { logs: [{ vertex: 's2', stream: 1, data: Buffer.from('cc a.c\n') }] },
      { logs: [{ vertex: 's2', stream: 2, data: Buffer.from('error\n') }] },
      {
        vertexes: [
          {
            digest: 's2',
            name: 'RUN make',
            started: { seconds: 1, nanos: 0 },
            completed: { seconds: 3, nanos: 0 },
            missed: 'a.txt changed',
            error: 'exit code 2',
          },
        ],
      },
    ],
  })
  const { signal } = new AbortController()

  test('tells each step as it is in the end, with what it has printed', async () => {
    const steps = new Map<string, BuildStep>()
    await sendBuild({ client, stack: 'shop', ref: 'a', signal }, async data => {
      for (const step of (data as Patch<BuildStep>).set) steps.set(step.step, step)
    })
    assert.deepEqual(
      [...steps.values()],
      [
        { step: 's1', name: 'FROM x', state: 'cached' },
        {
          step: 's2',
          name: 'RUN make',
          state: 'failed',
          missed: 'a.txt changed',
          milliseconds: 2000,
          error: 'exit code 2',
          output: 'cc a.c\nerror\n',
        },
      ],
    )
  })

  test('tells nothing of a build that is another stack’s', async () => {
    const asked = sendBuild({ client, stack: 'blog', ref: 'a', signal }, async () => undefined)
    await assert.rejects(asked, error => isFailure(error, 'not-found'))
  })
})
