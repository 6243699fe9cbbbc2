/** Containers that stay of a build's commands, as clients of the classic builder ask for it. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { endpoints } from '../../src/api/endpoints.ts'
import { type Client, createClient } from '../../src/client/client.ts'
import { build } from '../support/build.ts'
import { TestEngine } from '../support/engine.ts'
import { lacking, program, root } from '../support/needs.ts'

describe('containers of a build', { skip: lacking(root(), program('busybox'), program('nft')) }, () => {
  let engine: TestEngine
  let client: Client
  before(async () => {
    engine = await TestEngine.start()
    client = createClient(engine.host)
  })
  after(async () => {
    client?.close()
    await engine?.stop()
  })

  let number = 0
  /** Ids that it has told of, whichever of them are still there. */
  const told = async (query: Readonly<Record<string, unknown>>, commands: readonly string[]) => {
    const fresh = `ENV N=${number++}`
    const Dockerfile = ['FROM busybox', fresh, ...commands.map(each => `RUN ${each}`), ''].join('\n')
    const lines = await build(engine, query, { Dockerfile })
    const text = lines.map(({ stream = '' }) => stream).join('')
    const ids = [...text.matchAll(/^ ---> Running in (\w{12})$/gm)].map(([, id]) => id!)
    const removed = [...text.matchAll(/^ ---> Removed intermediate container (\w{12})$/gm)].map(([, id]) => id!)
    const found = await client.call(endpoints.containerList, { query: { all: true, filters: { id: ids } } })
    return { ids, removed, kept: found.map(({ Id, Image, State }) => ({ Id, Image, State })) }
  }

  const rows: ReadonlyArray<
    readonly [title: string, query: Record<string, unknown>, last: string, kept: number, removed: number]
  > = [
    ['none where it ends well', {}, 'exit 0', 0, 2],
    ['all with rm=false', { rm: false }, 'exit 0', 2, 0],
    ['all with rm=false where it fails', { rm: false }, 'exit 1', 2, 0],
    ['the one that failed', { rm: true }, 'exit 1', 1, 1],
    ['none with forcerm', { rm: false, forcerm: true }, 'exit 0', 0, 2],
    ['none with forcerm where it fails', { rm: true, forcerm: true }, 'exit 1', 0, 1],
  ]
  for (const [title, query, last, kept, removed] of rows)
    test(`that stay: ${title}`, async () => {
      const found = await told(query, ['true', last])
      assert.deepEqual([found.ids.length, found.kept.length, found.removed.length], [2, kept, removed])
      for (const { State } of found.kept) assert.equal(State, 'exited')
      for (const { Id } of found.kept) await client.call(endpoints.containerRemove, { params: { id: Id } })
    })

  test('have what was written and how they ended, are made images of, run again, and outlive the engine', async () => {
    const { ids } = await told({ rm: false }, ['echo first >/first', 'rm /first; echo second >/second; exit 4'])
    const id = ids[1]!
    const params = { id }
    await engine.halt()
    await engine.boot()
    const { State, Config } = await client.call(endpoints.containerInspect, { params })
    assert.deepEqual([State?.Status, State?.ExitCode], ['exited', 4])
    assert.deepEqual(Config?.Cmd, ['/bin/sh', '-c', 'rm /first; echo second >/second; exit 4'])
    const changes = await client.call(endpoints.containerChanges, { params })
    assert.deepEqual(changes?.map(({ Kind, Path }) => `${Kind} ${Path}`).sort(), ['1 /second', '2 /first'])
    const { Id } = await client.call(endpoints.containerCommit, { query: { container: id, repo: 'kept', tag: '1' } })
    const { code, stdout } = await engine.docker(['run', '--rm', Id, 'sh', '-c', 'cat /second; ls /first 2>&1'])
    assert.deepEqual([code, stdout.split('\n')[0]], [1, 'second'])
    assert.equal((await engine.docker(['start', '-a', id])).code, 4)
    for (const each of ids) await client.call(endpoints.containerRemove, { params: { id: each } })
  })
})
