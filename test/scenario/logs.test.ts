/** What replicas have printed, as one log. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { jsonLines, TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { lacking, program, root } from '../support/needs.ts'

describe('logs', { skip: lacking(root(), program('busybox'), program('nft')) }, () => {
  let engine: TestEngine
  before(async () => {
    engine = await TestEngine.start()
  })
  after(() => engine.stop())

  test('are merged by time over replicas, followed without a gap, and filtered', async () => {
    const stack = engine.stack(`services:
  web:
    image: busybox
    scale: 3
    stop_signal: SIGKILL
    command:
      - sh
      - -c
      - |
        for i in 1 2 3 4 5; do echo "level=info msg=$$i"; sleep 0.1; done
        echo "level=error msg=broken" >&2; echo "  at main:1" >&2
        while sleep 0.1; do echo "level=debug msg=tick"; done
`)
    await stack.run('up', '-d')
    const all = async (...more: readonly string[]) => jsonLines(await stack.run('logs', '--json', ...more))
    await eventually('all to have printed', async () => (await all('--grep', 'tick')).length > 6)

    const lines = await all()
    const times = lines.map(({ time }) => String(time))
    assert.deepEqual(times, times.toSorted())
    assert.equal(new Set(lines.map(({ container }) => container)).size, 3)
    assert.deepEqual(
      (await all('--level', 'error', '--index', '2', 'web')).map(({ text, level, stream }) => [text, level, stream]),
      [
        ['level=error msg=broken', 'error', 'stderr'],
        ['  at main:1', 'error', 'stderr'],
      ],
    )
    assert.equal((await all('--grep', 'msg=[13]$')).length, 6)

    await using following = stack.begin('logs', '-f', '--json')
    let read: Record<string, unknown>[] = []
    await eventually('ticks of what comes', () => {
      read = jsonLines(following.said.slice(0, following.said.lastIndexOf('\n') + 1))
      return read.length > lines.length + 10
    })
    assert.deepEqual(read.slice(0, lines.length), lines)
    for (const container of new Set(read.map(each => each.container))) {
      const own = read.filter(each => each.container === container).map(({ time }) => String(time))
      assert.deepEqual(own, [...new Set(own)].toSorted(), `a line of ${container} twice, or out of order`)
    }
    await following.end()
    await stack.run('down')
  })
})
