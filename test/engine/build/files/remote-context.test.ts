import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { tarEnd, tarHeader } from '../../../../src/engine/base/tar-writer.ts'
import { Downloads } from '../../../../src/engine/build/files/downloads.ts'
import { fetchContext } from '../../../../src/engine/build/files/remote-context.ts'
import { Failure } from '../../../../src/lib/failure.ts'
import { lacking, root } from '../../../support/needs.ts'
import { folderOf, shown } from './support.ts'

async function fetched(t: TestContext, content: Buffer | string): Promise<string> {
  const server = createServer((_, response) => response.end(content))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    return new Promise(resolve => server.close(resolve))
  })
  return await contextOf(t, `http://127.0.0.1:${(server.address() as AddressInfo).port}/context.tar.gz`)
}

async function contextOf(t: TestContext, address: string): Promise<string> {
  const place = folderOf(t, {})
  const folder = join(place, 'step')
  mkdirSync(folder)
  const secret = async (id: string) => {
    throw new Failure('not-found', id)
  }
  const client = { secret, ssh: async () => undefined }
  const downloads = new Downloads(join(place, 'kept'))
  return await fetchContext(address, {
    folder,
    downloads,
    args: new Map(),
    client,
    signal: new AbortController().signal,
  })
}

describe('fetchContext()', { skip: lacking(root()) }, () => {
  test('unpacks an archive of a web server for root, open to the users of a build whatever umask the engine has', async t => {
    const before = process.umask(0o077)
    t.after(() => process.umask(before))
    const file = tarHeader({ name: 'd/Dockerfile', type: 'file', mode: 0o644, uid: 5, gid: 6, mtime: 1, size: 0 })
    const path = await fetched(t, gzipSync(Buffer.concat([file, tarEnd])))
    assert.deepEqual(shown([path]), { '/d/': '755', '/d/Dockerfile': '644 ' })
    assert.equal(statSync(path).mode & 0o777, 0o755)
  })

  test('takes anything else for a Dockerfile', async t => {
    assert.deepEqual(readdirSync(await fetched(t, 'FROM scratch')), ['Dockerfile'])
  })

  test('refuses an archive that reaches out, and what is no address', async t => {
    const file = tarHeader({ name: '../up', type: 'file', mode: 0o644, uid: 0, gid: 0, mtime: 1, size: 0 })
    await assert.rejects(fetched(t, Buffer.concat([file, tarEnd])), { kind: 'invalid', message: /leads out/ })
    for (const address of ['/etc', 'file:///etc', 'oci-layout://x'])
      await assert.rejects(contextOf(t, address), { kind: 'invalid' })
  })
})
