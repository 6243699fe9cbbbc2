import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EngineBox } from './engine-box.ts'

test('list filters by label, name, status, ancestor and volume, and shows the newest first', async () => {
  await using box = await EngineBox.open()
  // whether or not there is anything to filter
  const none = (filters: Record<string, string[]>) => box.containers.list({ all: true, filters })
  for (const port of ['publish', 'expose'])
    await assert.rejects(none({ [port]: ['x'] }), {
      message: `invalid filter '${port}=x': invalid port specification: "x"`,
    })
  await assert.rejects(none({ name: ['(a+)+'] }), { message: "invalid filter 'name=(a+)+'" })
  await box.run('web', { Labels: { tier: 'front' }, HostConfig: { Binds: ['named:/x'] } })
  await box.create('web2', { Labels: { tier: 'back' } })
  const names = async (filters: Record<string, string[]>) =>
    (await box.containers.list({ all: true, filters })).map(({ Names }) => Names[0])
  assert.deepEqual(await names({}), ['/web2', '/web'])
  assert.deepEqual(await names({ label: ['tier=front'] }), ['/web'])
  assert.deepEqual(await names({ name: ['^/web$'] }), ['/web'])
  assert.deepEqual(await names({ name: ['web'] }), ['/web2', '/web'])
  assert.deepEqual(await names({ status: ['created'] }), ['/web2'])
  assert.deepEqual(await names({ volume: ['named'] }), ['/web'])
  assert.deepEqual(await names({ ancestor: ['tiny:1'] }), ['/web2', '/web'])
  assert.deepEqual(await names({ ancestor: ['other'] }), [])
  assert.deepEqual(await names({ before: ['web2'] }), ['/web'])
  assert.deepEqual(await names({ exited: ['0'] }), [])
  await assert.rejects(names({ colour: ['red'] }), /invalid filter 'colour'/)
  for (const [name, value, why] of [
    ['exited', 'x', 'strconv.Atoi: parsing "x": invalid syntax'],
    ['health', 'fine', 'invalid value for health (fine): must be one of none, starting, healthy, unhealthy'],
    [
      'status',
      'up',
      'invalid value for state (up): must be one of created, running, paused, restarting, removing, exited, dead',
    ],
  ] as const)
    await assert.rejects(names({ [name]: [value] }), { message: `invalid filter '${name}=${value}': ${why}` })
  assert.deepEqual((await box.containers.list()).length, 1)
})

test('an ancestor is the image of a container, or one that this was made from here', async () => {
  await using box = await EngineBox.open()
  const made = async (from: string, tag: string) => {
    const [repo, version] = tag.split(':')
    await box.containers.commit(from, { repo, tag: version, pause: false, changes: [] })
    await box.create(tag.replace(':', ''), { Image: tag })
  }
  await box.create('web')
  await made('web', 'a:1')
  await made('a1', 'b:1')
  const names = async (...ancestor: string[]) =>
    (await box.containers.list({ all: true, filters: { ancestor } })).map(({ Names }) => Names[0])
  assert.deepEqual(await names('tiny:1'), ['/b1', '/a1', '/web'])
  assert.deepEqual(await names('a:1'), ['/b1', '/a1'])
  assert.deepEqual(await names('b:1'), ['/b1'])
  assert.deepEqual(await names('nosuch', 'b:1'), ['/b1'])
})
