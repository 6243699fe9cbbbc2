/** A keeper that an older tscompose has started. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { endpoints } from '../../src/api/endpoints.ts'
import { keeperEndpoints, keeperVersion } from '../../src/api/keeper.ts'
import { createClient } from '../../src/client/client.ts'
import { askKeeper } from '../../src/holding/keeper.ts'
import { TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { lacking, program, root } from '../support/needs.ts'
import { ownEngine } from '../support/other-engine.ts'

/** It answers what every keeper answers, of the version that its argument says, and ends when it is asked to. */
const stub = `
const { rmSync } = require('node:fs')
const [, , socket, version] = process.argv
const end = () => { rmSync(socket, { force: true }); process.exit(1) }
rmSync(socket, { force: true })
require('node:http').createServer((request, response) => {
  if (request.method === 'DELETE') response.once('close', end)
  response.writeHead(request.method === 'DELETE' ? 204 : 200, { 'content-type': 'application/json' })
  response.end(request.method === 'DELETE' ? '' : JSON.stringify({ Pid: process.pid, Version: version, Host: '', Stacks: 0, Memory: 0 }))
}).listen(socket)
process.on('SIGTERM', end)
process.stdin.on('end', end).resume()
`

describe('a keeper of another contract', {
  skip: lacking(root(), program('busybox'), program('nft'), ownEngine('the older keeper is a companion')),
}, () => {
  let engine: TestEngine
  before(async () => {
    engine = await TestEngine.start()
  })
  after(() => engine.stop())
  const status = async () => {
    const found = await askKeeper({ host: engine.host, env: engine.env })
    found?.client.close()
    return found?.status
  }
  const start = async (version: string): Promise<void> => {
    const file = join(engine.folder, 'older.cjs')
    writeFileSync(file, stub)
    const client = createClient(engine.host)
    const body = { Command: [process.execPath, file, join(engine.folder, 'keeper.sock'), version] }
    await client.call(endpoints.companionPut, { params: { name: 'keeper' }, body })
    client.close()
  }
  const yaml =
    'services: {web: {image: busybox, command: sleep infinity, stop_signal: SIGKILL, x-on-unhealthy: restart}}'

  test('makes room when it is older, which is said', async () => {
    await start('1.0')
    await eventually('it listens', async () => (await status())?.Version === '1.0')
    const stack = engine.stack(yaml, 'shop')
    const said = await stack.try('up', '-d')
    assert.equal(said.code, 0, said.stderr)
    assert.match(said.stderr, /The keeper was that of an older tscompose \(contract 1\.0\): another has its place/)
    assert.equal((await status())?.Version, keeperVersion)
    const found = await askKeeper({ host: engine.host, env: engine.env })
    assert.deepEqual(
      (await found!.client.call(keeperEndpoints.stackList, {})).map(({ Name }) => Name),
      ['shop'],
    )
    found!.client.close()
    await stack.run('down')
    await eventually('its end', async () => (await status()) === undefined)
  })

  test('is left to its own tscompose when it is newer by more than a client can know', async () => {
    await start('99.0')
    const stack = engine.stack(yaml, 'shop')
    await eventually('it listens', async () => {
      try {
        await status()
      } catch (error) {
        return /contract is 99\.0/.test(String(error))
      }
      return false
    })
    const said = await stack.try('up', '-d')
    assert.match(said.stderr, /its contract is 99\.0, that of this tscompose/)
    assert.match(said.stderr, /Use the tscompose that started it/)
    assert.equal(said.code, 1)
    assert.deepEqual(await stack.ps(), [])
  })
})
