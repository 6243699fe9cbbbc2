import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { endpoints } from '../../src/api/endpoints.ts'
import { createClient } from '../../src/client/client.ts'
import { isFailure } from '../../src/lib/failure.ts'
import { serving } from '../http/serving.ts'
import { echo } from '../http/session.ts'

/** In place of ssh(1): `body` is a module that gets the words and, as `dial`, the way to the engine. */
describe('an engine behind ssh', () => {
  const { PATH } = process.env
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tscompose-ssh-'))
    process.env.PATH = [folder, PATH].join(delimiter)
  })
  afterEach(() => {
    process.env.PATH = PATH
    rmSync(folder, { recursive: true })
  })

  function ssh(body: string): void {
    writeFileSync(
      join(folder, 'ssh'),
      `#!${process.execPath}\nconst { appendFileSync } = require('node:fs')\n${body}\n`,
    )
    chmodSync(join(folder, 'ssh'), 0o755)
  }
  const dialling = (path: string) => `
    appendFileSync(${JSON.stringify(join(folder, 'words'))}, JSON.stringify(process.argv.slice(2)) + '\\n')
    const socket = require('node:net').connect({ path: ${JSON.stringify(path)}, allowHalfOpen: true })
    process.stdin.pipe(socket)
    socket.pipe(process.stdout)`

  test('is called through one program that several calls share', async () => {
    await using on = await serving({ info: () => ({ ID: 'there' }) as never })
    ssh(dialling(on.path))
    const client = createClient('ssh://me@box:2222')
    try {
      for (let i = 0; i < 3; i++) assert.equal((await client.call(endpoints.info, {})).ID, 'there')
      const calls = readFileSync(join(folder, 'words'), 'utf8').trim().split('\n')
      // the first one asks for the version, and may still be at it
      assert.ok(calls.length <= 2, `${calls.length} programs for 4 calls`)
      const words = JSON.parse(calls[0]!) as string[]
      assert.deepEqual(words.slice(0, -1), ['-T', '-o', 'ConnectTimeout=30', '-l', 'me', '-p', '2222', '--', 'box'])
      assert.match(words.at(-1)!, /tscompose engine dial-stdio.*docker system dial-stdio/)
    } finally {
      client.close()
    }
  })

  test('hands connections over, and a half-close arrives as one', async () => {
    const process = echo()
    await using on = await serving({ containerAttach: () => process.session })
    ssh(dialling(on.path))
    const client = createClient('ssh://box')
    try {
      const query = { stream: true, stdin: true }
      const attached = await client.hijack(endpoints.containerAttach, { params: { id: 'x' }, query })
      attached.socket.write('hello')
      const output = attached.output[Symbol.asyncIterator]()
      assert.equal(Buffer.from((await output.next()).value!.data).toString(), 'hello')
      attached.socket.end()
      assert.equal((await output.next()).value!.stream, 'stderr')
      assert.equal((await output.next()).done, true)
      assert.deepEqual(process.log.slice(0, 2), ['write hello', 'end'])
    } finally {
      client.close()
    }
  })

  test('that breaks off in the middle of its output is an error, and no end', async () => {
    ssh(`
    process.stdin.once('data', () => {
      process.stdout.write('HTTP/1.1 101 UPGRADED\\r\\nConnection: Upgrade\\r\\nUpgrade: tcp\\r\\n\\r\\nhalf', () => {
        process.stderr.write('Connection to box closed by remote host.\\n', () => process.exit(255))
      })
    })`)
    const client = createClient('ssh://box', { version: '1.51' })
    try {
      const attached = await client.hijack(endpoints.containerAttach, { params: { id: 'x' } }, { tty: true })
      await assert.rejects(
        Array.fromAsync(attached.output),
        error => isFailure(error, 'unavailable') && /closed by remote host/.test(error.message),
      )
    } finally {
      client.close()
    }
  })

  test('that cannot be reached says so in the words of ssh', async () => {
    ssh(`process.stderr.write('Warning: new key\\nme@box: Permission denied (publickey).\\n'); process.exitCode = 255`)
    const client = createClient('ssh://me@box')
    await assert.rejects(
      client.call(endpoints.info, {}),
      error => isFailure(error, 'unavailable') && error.message.endsWith('me@box: Permission denied (publickey).'),
    )
    client.close()
  })

  test('without the program ssh is named as that', async () => {
    process.env.PATH = folder
    const client = createClient('ssh://box')
    await assert.rejects(client.call(endpoints.info, {}), /there is no program "ssh"/)
    client.close()
  })
})
