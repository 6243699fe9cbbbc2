/** Settings of engine.json but for those of registries. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import {
  archiveLimits,
  buildBudget,
  type SettingFlags,
  storageDriver,
  userSettings,
} from '../../src/engine/settings.ts'
import { temporaryFolder } from '../support/temporary-paths.ts'

function flags(t: TestContext, content: unknown, more: SettingFlags = {}): SettingFlags {
  const config = join(temporaryFolder(t), 'engine.json')
  writeFileSync(config, JSON.stringify(content))
  return { config, ...more }
}

test('the build cache has a size, space that stays free, and a part that is never given back', t => {
  const gc = { defaultKeepStorage: '10GB', defaultMinFreeSpace: '1GB', defaultReservedSpace: '512MB' }
  const [most, minFree, reserved] = [10 * 1024 ** 3, 1024 ** 3, 512 * 1024 ** 2]
  assert.deepEqual(buildBudget(flags(t, { builder: { gc } })), { most, minFree, reserved })
  const both = { ...gc, defaultMaxUsedSpace: '1KB' }
  assert.equal(buildBudget(flags(t, { builder: { gc: both } })).most, 1024)
  assert.equal(buildBudget(flags(t, { builder: { gc: both } }, { 'build-cache': '2KB' })).most, 2048)
  const nothing = { most: undefined, minFree: undefined, reserved: undefined }
  assert.deepEqual(buildBudget(flags(t, {})), nothing)
  assert.equal(buildBudget(flags(t, { builder: { gc: { enabled: false } } })).most, Infinity)
  assert.throws(() => buildBudget(flags(t, { builder: { gc: { defaultMinFreeSpace: 'much' } } })), {
    kind: 'invalid',
    message: 'Cannot keep the build cache to "much": it should be an amount, such as 10GB',
  })
})

test('archives have limits, as far as they are set', t => {
  const limits = (content: unknown) => archiveLimits(flags(t, { 'archive-limits': content }))
  assert.deepEqual(limits({ size: '2GB', entries: 10, depth: 20, ratio: 30 }), {
    bytes: 2 * 1024 ** 3,
    entries: 10,
    depth: 20,
    ratio: 30,
  })
  assert.deepEqual(limits({ ratio: 1 }), { ratio: 1 })
  assert.deepEqual(archiveLimits(flags(t, {})), {})
  for (const [content, text] of [
    [{ size: 'much' }, /Cannot hold archives to "much"/],
    [{ entries: 0 }, /archive-limits\.entries: /],
    [{ ratio: 1.5 }, /archive-limits\.ratio: /],
    [{ depth: '5' }, /archive-limits\.depth: /],
    [{ files: 5 }, /archive-limits: Unrecognized key/],
  ] as const)
    assert.throws(() => limits(content), text)
})

test('the user namespace of containers that say nothing, by a flag before the file', t => {
  assert.deepEqual(userSettings(flags(t, {})), { mode: 'host', user: undefined })
  const file = { 'userns-mode': 'auto', 'userns-user': 'me' }
  assert.deepEqual(userSettings(flags(t, file)), { mode: 'auto', user: 'me' })
  assert.deepEqual(userSettings(flags(t, file, { 'userns-mode': 'host' })), { mode: 'host', user: 'me' })
  assert.throws(() => userSettings(flags(t, {}, { 'userns-mode': 'yes' })), {
    kind: 'invalid',
    message: 'Cannot use user namespace mode "yes": it should be host or auto',
  })
  assert.throws(() => userSettings(flags(t, { 'userns-mode': 'private' })), /userns-mode: /)
})

test('roots are made by the storage driver that is named, or by the one that works', t => {
  assert.equal(storageDriver(flags(t, {})), undefined)
  assert.equal(storageDriver(flags(t, { 'storage-driver': 'vfs' })), 'vfs')
  assert.equal(storageDriver(flags(t, { 'storage-driver': 'vfs' }, { 'storage-driver': 'overlay2' })), 'overlay2')
  assert.throws(() => storageDriver({ 'storage-driver': 'btrfs' }), {
    kind: 'invalid',
    message: 'Cannot use storage driver "btrfs": it should be overlay2 or vfs',
  })
  assert.throws(() => storageDriver(flags(t, { 'storage-driver': 'zfs' })), /storage-driver: Invalid option/)
})
