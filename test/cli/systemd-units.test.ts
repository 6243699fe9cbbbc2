import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { engineUnit, execLine, keeperUnit, namesOf } from '../../src/cli/systemd-units.ts'
import { lacking, program } from '../support/needs.ts'

const engine = engineUnit([process.execPath, '/opt/it is/engine.ts'])
const keeper = keeperUnit({
  command: [process.execPath, '/opt/keeper.cjs', '--host', 'unix:///run/a%b.sock', '$HOME "x"\\'],
  environment: { PATH: '/usr/bin', HOME: '/ro ot' },
  host: 'unix:///run/a%b.sock',
})

describe('units for systemd', () => {
  test('execLine() writes words as systemd reads them: its %, $, quotes and backslashes are plain', () => {
    assert.equal(execLine(['/bin/a', 'b c', '%h', '$X', '"\\']), '/bin/a "b c" %%h $$X "\\"\\\\"')
  })

  test('the engine is started with the machine, kept, and leaves containers and monitors running when it ends', () => {
    for (const line of ['KillMode=process', 'Delegate=yes', 'Restart=always', 'WantedBy=multi-user.target'])
      assert.ok(engine.text.split('\n').includes(line), line)
    assert.ok(engine.text.includes(`\nExecStart=${process.execPath} "/opt/it is/engine.ts"\n`))
  })

  test('a keeper has its environment in order, and is not started again when no stack needs it', () => {
    assert.match(keeper.text, /\nEnvironment="HOME=\/ro ot"\nEnvironment=PATH=\/usr\/bin\nExecStart=/)
    assert.ok(keeper.text.split('\n').includes('Restart=on-failure'))
    assert.equal(namesOf([engine, keeper]), 'tscompose-engine.service and tscompose-keeper.service')
  })

  test('systemd has nothing to say against them', { skip: lacking(program('systemd-analyze')) }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'units-'))
    try {
      for (const { name, text } of [engine, keeper]) {
        writeFileSync(join(folder, name), text)
        const { status, stderr } = spawnSync('systemd-analyze', ['verify', join(folder, name)], { encoding: 'utf8' })
        // it may have something to say of the machine's own units
        assert.deepEqual([status, stderr.split('\n').filter(line => line.includes(name))], [0, []])
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
