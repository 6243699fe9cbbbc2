import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { describe, test } from 'node:test'
import { extract } from 'tar-stream'
import { sync } from '../../src/watch/sync.ts'
import { temporaryFolder } from '../support/temporary-paths.ts'
import { FakeClient } from '../targets/engine/fake-client.ts'

/** An engine that remembers what it was sent: archives as "type mode name → link or size", commands as words. */
function engine(exitCode = 0) {
  const archives: string[][] = []
  const commands: string[][] = []
  const client = new FakeClient({
    containerArchivePut: async ({ query, body }) => {
      assert.deepEqual(query, { path: '/', copyUIDGID: true })
      const entries: string[] = []
      const tar = extract()
      tar.on('entry', ({ type, mode, name, linkname, size }, stream, next) => {
        entries.push(`${type} ${mode?.toString(8)} ${name} → ${linkname ?? size}`)
        stream.on('end', next).resume()
      })
      await pipeline(body as AsyncIterable<Uint8Array>, tar)
      archives.push(entries)
    },
    execCreate: ({ body }) => {
      const { Cmd, User } = body as { readonly Cmd: string[]; readonly User: string }
      assert.equal(User, '0')
      commands.push(Cmd)
      return { Id: 'e' }
    },
    execStart: async function* () {},
    execInspect: () => ({ ExitCode: exitCode }),
  })
  return { client, archives, commands }
}

const web = { id: 'w', name: 'shop-web-1' }
const warn = (text: string) => assert.fail(text)

describe('sync()', () => {
  test('sends all that is there in one archive, links as links, and removes the rest by one command', async t => {
    const folder = temporaryFolder(t)
    const at = (name: string) => join(folder, name)
    mkdirSync(at('d'))
    writeFileSync(at('d/script'), '#!/bin/sh\n')
    chmodSync(at('d/script'), 0o755)
    symlinkSync('/etc/shadow', at('link'))
    writeFileSync(at('large'), '')
    truncateSync(at('large'), 17 * 1024 * 1024)
    const { client, archives, commands } = engine()
    const names = ['d', 'd/script', 'link', 'large', 'gone', 'old', 'old/a', 'old/b']
    const files = new Map(names.map(name => [at(name), `/app/${name}`]))
    await sync(client, web, { files, warn })
    assert.deepEqual(archives, [
      [
        'directory 755 app/d → 0',
        'file 755 app/d/script → 10',
        'symlink 777 app/link → /etc/shadow',
        `file 644 app/large → ${17 * 1024 * 1024}`,
      ],
    ])
    assert.deepEqual(commands, [['rm', '-rf', '--', '/app/gone', '/app/old']])
  })

  test('never removes the root of a container', async t => {
    const folder = temporaryFolder(t)
    const { client, commands, archives } = engine()
    await sync(client, web, { files: new Map([[join(folder, 'gone'), '/']]), warn })
    assert.deepEqual([commands, archives], [[], []])
  })

  test('says what could not be removed', async t => {
    const folder = temporaryFolder(t)
    const { client } = engine(127)
    await assert.rejects(sync(client, web, { files: new Map([[join(folder, 'gone'), '/app/gone']]), warn }), {
      message: 'Cannot remove "/app/gone" in "shop-web-1": rm ended with 127',
      hint: /rebuild instead of syncing/,
    })
  })
})
