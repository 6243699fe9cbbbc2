/** What holds for an engine: its flags, and its settings but for those of registries and logs. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { noDefaults } from '../../../src/engine/containers/config/container-defaults.ts'
import { defaultSettings } from '../../../src/engine/images/registry/settings.ts'
import { parsePool } from '../../../src/engine/networks/ipam.ts'
import { partsOf, type SettingFlags } from '../../../src/engine/settings/effective.ts'
import { parseSettings } from '../../../src/engine/settings/read.ts'
import { temporaryFolder } from '../../support/temporary-paths.ts'

const parts = (content: unknown, flags: SettingFlags = {}) =>
  partsOf(flags, parseSettings(JSON.stringify(content), 'engine.yaml'), { env: {}, defaults: defaultSettings })

test('the build cache has a size, space that stays free, and a part that is never given back', () => {
  const budget = (content: unknown, flags: SettingFlags = {}) => parts(content, flags).buildBudget
  const gc = { defaultKeepStorage: '10GB', defaultMinFreeSpace: '1GB', defaultReservedSpace: '512MB' }
  const [most, minFree, reserved] = [10 * 1024 ** 3, 1024 ** 3, 512 * 1024 ** 2]
  assert.deepEqual(budget({ builder: { gc } }), { most, minFree, reserved })
  const both = { ...gc, defaultMaxUsedSpace: 1024 }
  assert.equal(budget({ builder: { gc: both } }).most, 1024)
  assert.equal(budget({ builder: { gc: both } }, { 'build-cache': '2KB' }).most, 2048)
  assert.deepEqual(budget({}), { most: undefined, minFree: undefined, reserved: undefined })
  assert.equal(budget({ builder: { gc: { enabled: false } } }).most, Infinity)
  assert.throws(() => budget({}, { 'build-cache': 'much' }), {
    kind: 'invalid',
    message: 'Cannot keep the build cache to "much": it should be an amount, such as 10GB',
  })
})

test('archives have limits, as far as they are set', () => {
  const limits = (content: unknown) => parts(content).archiveLimits
  assert.deepEqual(limits({ 'archive-limits': { size: '2GB', entries: 10, depth: 20, ratio: 30 } }), {
    bytes: 2 * 1024 ** 3,
    entries: 10,
    depth: 20,
    ratio: 30,
  })
  assert.deepEqual(limits({ 'archive-limits': { ratio: 1 } }), { ratio: 1 })
  assert.deepEqual(limits({}), {})
})

test('the user namespace of containers that say nothing, by a flag before the file', () => {
  const users = (content: unknown, flags: SettingFlags = {}) => parts(content, flags).users
  assert.deepEqual(users({}), { mode: 'host', user: undefined })
  const file = { 'userns-mode': 'auto', 'userns-user': 'me' }
  assert.deepEqual(users(file), { mode: 'auto', user: 'me' })
  assert.deepEqual(users(file, { 'userns-mode': 'host' }), { mode: 'host', user: 'me' })
  assert.throws(() => users({}, { 'userns-mode': 'yes' }), {
    kind: 'invalid',
    message: 'Cannot use user namespace mode "yes": it should be host or auto',
  })
})

test('roots are made by the storage driver that is named, or by the one that works', () => {
  const storage = (content: unknown, flags: SettingFlags = {}) => parts(content, flags).storage
  assert.equal(storage({}), undefined)
  assert.equal(storage({ 'storage-driver': 'vfs' }), 'vfs')
  assert.equal(storage({ 'storage-driver': 'vfs' }, { 'storage-driver': 'overlay2' }), 'overlay2')
  assert.throws(() => storage({}, { 'storage-driver': 'btrfs' }), {
    kind: 'invalid',
    message: 'Cannot use storage driver "btrfs": it should be overlay2 or vfs',
  })
})

test('address pools of the flags are all there are', () => {
  const pools = ['10.1.0.0/16', { base: '10.2.0.0/16', size: 24 }]
  assert.deepEqual(parts({ 'default-address-pools': pools }).pools, pools.map(parsePool))
  const flags = { pool: ['10.3.0.0/16'] }
  assert.deepEqual(parts({ 'default-address-pools': pools }, flags).pools, flags.pool.map(parsePool))
  assert.throws(() => parts({}, { pool: ['here'] }), /Cannot use address pool "here"/)
  assert.equal(parts({ ip: '127.0.0.1' }).binding, '127.0.0.1')
})

test('what containers have that do not speak of it', t => {
  assert.deepEqual(parts({}).containerDefaults, noDefaults)
  const profile = join(temporaryFolder(t), 'profile.json')
  writeFileSync(profile, '{"defaultAction":"SCMP_ACT_ALLOW"}')
  assert.deepEqual(
    parts({
      'no-new-privileges': true,
      'seccomp-profile': profile,
      'default-cap-drop': ['net_raw'],
      'default-pids-limit': 500,
      'default-ulimits': { nofile: 1024, nproc: { soft: 1, hard: 2 }, core: { Name: 'core', Soft: 0, Hard: 0 } },
      'default-shm-size': '128m',
    }).containerDefaults,
    {
      noNewPrivileges: true,
      seccomp: '{"defaultAction":"SCMP_ACT_ALLOW"}',
      capDrop: ['CAP_NET_RAW'],
      pidsLimit: 500,
      ulimits: [
        { Name: 'nofile', Soft: 1024, Hard: 1024 },
        { Name: 'nproc', Soft: 1, Hard: 2 },
        { Name: 'core', Soft: 0, Hard: 0 },
      ],
      shmSize: 128 * 1024 ** 2,
    },
  )
  writeFileSync(profile, '{')
  assert.throws(() => parts({ 'seccomp-profile': profile }), {
    message: `Cannot use seccomp profile "${profile}": it is not JSON`,
  })
  assert.throws(() => parts({ 'seccomp-profile': '/none' }), { message: 'Cannot use seccomp profile "/none": ENOENT' })
})
