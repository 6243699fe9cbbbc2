import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileSend } from '../../../src/api/buildkit/file-sync.ts'
import { implement } from '../../../src/api/buildkit/grpc-server.ts'
import { auth, secrets, ssh, upload } from '../../../src/api/buildkit/session-services.ts'
import { Failure } from '../../../src/lib/failure.ts'
import { bench, folderForEach, image } from './bench.ts'

const root = folderForEach()

describe('what only the client has', () => {
  test('secrets come by id, and are not found otherwise', async () => {
    const given = implement(secrets, {
      getSecret: ({ id }) => {
        if (id !== 'key') throw new Failure('not-found', 'no such secret')
        return { data: Buffer.from([0, 255, 10]) }
      },
    })
    const seen: unknown[] = []
    await using on = await bench(
      async ({ client }) => {
        seen.push(await client.secret('key'), await client.secret('none').catch(error => error.message))
        return image
      },
      [given],
    )
    await on.buildx()
    assert.deepEqual(seen, [Buffer.from([0, 255, 10]), 'secret none: not found'])
  })

  test('credentials come for a registry; the hub’s by its host’s name', async () => {
    const asked: string[] = []
    const given = implement(auth, {
      credentials: ({ host }) => {
        asked.push(host)
        return host === 'r.example'
          ? { username: 'me', secret: 'pass' }
          : { username: '', secret: host === 'i' ? 'id' : '' }
      },
    })
    let seen: unknown[] = []
    await using on = await bench(
      async ({ client }) => {
        seen = await Promise.all(['r.example', 'i', 'docker.io'].map(host => client.auth(host)))
        return image
      },
      [given],
    )
    await on.buildx()
    assert.deepEqual(seen, [{ username: 'me', password: 'pass' }, { identityToken: 'id' }, undefined])
    assert.deepEqual(
      asked.toSorted(),
      ['docker.io', 'i', 'r.example'].map(h => (h === 'docker.io' ? `registry-1.${h}` : h)).toSorted(),
    )
  })

  test('the agent is a socket for the time of a step', async () => {
    const given = implement(ssh, {
      checkAgent: ({ id }) => {
        if (id !== 'default') throw new Failure('not-found', 'unset ssh forward key')
        return {}
      },
      forwardAgent: async function* (requests, { metadata }) {
        for await (const { data } of requests)
          yield {
            data: Buffer.from(`${metadata.get('buildkit.ssh.id')?.[0]}:${Buffer.from(data).toString().toUpperCase()}`),
          }
      },
    })
    let said = ''
    let path = ''
    let none: unknown = 'unasked'
    await using on = await bench(
      async ({ client }) => {
        none = await client.ssh('other')
        await using agent = await client.ssh('default')
        path = agent!.path
        const socket = connect(path)
        socket.end('sign')
        for await (const data of socket) said += data
        return image
      },
      [given],
    )
    await on.buildx()
    assert.equal(none, undefined)
    assert.equal(said, 'default:SIGN')
    await assert.rejects(once(connect(path), 'connect'), { code: 'ENOENT' })
  })

  test('a context from standard input is unpacked', async () => {
    const given = implement(upload, {
      pull: async function* (_, { metadata }) {
        yield { data: Buffer.from(`FROM ${metadata.get('urlpath')?.[0]}`) }
      },
    })
    let text = ''
    await using on = await bench(
      async ({ client }) => {
        text = readFileSync(join(await client.context('dockerfile', { exclude: [], follow: [] }), 'Dockerfile'), 'utf8')
        return image
      },
      [given],
    )
    await on.buildx({ attributes: { context: 'http://buildkit-session/abc' } })
    assert.equal(text, 'FROM abc')
  })

  test('a result goes to it as an archive or as a folder, each exporter to its own', async () => {
    writeFileSync(join(root(), 'result/hello'), 'hello')
    const files: string[] = []
    const given = implement(fileSend, {
      diffCopy: async function* (requests, { metadata }) {
        let text = ''
        for await (const { data } of requests) text += Buffer.from(data).toString('latin1')
        files.push(
          `${metadata.get('buildkit-attachable-exporter-id')?.[0]} ${text.includes('archive') ? text : text.slice(0, 5)}`,
        )
        yield* []
      },
    })
    await using on = await bench(async () => image, [given])
    await on.buildx({
      request: { exporters: [{ type: 'tar' }, { type: 'docker', attributes: new Map([['name', 'a:1']]) }] },
    })
    assert.deepEqual(files, ['0 hello', '1 archive of a:1'])
  })

  test('that has left ends the build that waits for it', async () => {
    await using on = await bench(async ({ client }) => {
      await client.context('no-such-folder', { exclude: [], follow: [] })
      return image
    })
    await assert.rejects(on.buildx(), { message: /no access allowed to dir "no-such-folder"/ })
  })
})
