import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { forget, lostKeeper, markOf, recordFile } from '../../src/holding/lost.ts'
import { keeperSocket } from '../../src/holding/place.ts'
import { projectFolder } from '../../src/state/folder.ts'

describe('lostKeeper()', () => {
  let folder: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'tsc-lost-'))
  })
  after(() => rmSync(folder, { recursive: true, force: true }))
  const place = (host: string) => ({
    host,
    env: { TSCOMPOSE_STATE: join(folder, 'state'), XDG_RUNTIME_DIR: join(folder, 'run') },
    uid: 1000,
  })
  const hold = (name: string, host: string) => {
    mkdirSync(projectFolder(name, place(host)), { recursive: true })
    writeFileSync(join(projectFolder(name, place(host)), recordFile), '{}')
  }
  const docker = 'unix:///run/docker.sock'

  test('tells what was held beside an engine that keeps no companions, and whether the machine was started since', () => {
    assert.equal(lostKeeper(place(docker)), undefined)
    hold('web', docker)
    hold('shop', docker)
    mkdirSync(projectFolder('not-held', place(docker)))
    assert.deepEqual(lostKeeper(place(docker)), { stacks: ['shop', 'web'], ranSinceBoot: false })
    const socket = keeperSocket(place(docker))!
    mkdirSync(dirname(socket), { recursive: true })
    writeFileSync(markOf(socket), '')
    assert.deepEqual(lostKeeper(place(docker)), { stacks: ['shop', 'web'], ranSinceBoot: true })
    forget('shop', place(docker))
    forget('shop', place(docker))
    assert.deepEqual(lostKeeper(place(docker))?.stacks, ['web'])
  })

  test('misses none of an engine that starts its own, or that is elsewhere', () => {
    for (const host of ['unix:///run/tscompose/engine.sock', 'tcp://far:2375']) {
      hold('web', host)
      assert.equal(lostKeeper(place(host)), undefined)
    }
  })
})
