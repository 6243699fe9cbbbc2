/** What is refused as soon as it is asked for, in Docker's words. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { machine } from '../../../src/engine/images/platform.ts'
import { EngineBox } from './engine-box.ts'

test('a platform that is none is refused as such, and another than the image has as a lack of it', async () => {
  await using box = await EngineBox.open()
  const { os, architecture } = machine()
  const create = (name: string, platform: string) =>
    box.containers.create({ name, platform, body: { Image: 'tiny:1', HostConfig: { NetworkMode: 'none' } } })
  for (const bad of ['x', '%', 'a/b/c/d', ' '])
    await assert.rejects(create('bad', bad), { kind: 'invalid', message: /: invalid argument$/ })
  for (const other of ['linux/mips64', 'windows'])
    await assert.rejects(create('bad', other), { kind: 'not-found', message: /does not match the specified platform/ })
  for (const [i, own] of [os, architecture, `${os}/${architecture}`].entries()) await create(`own${i}`, own)
})

test('a MAC address that is none is refused, wherever it stands', async () => {
  await using box = await EngineBox.open()
  const HostConfig = { NetworkMode: 'bridge' }
  const message = 'invalid config for network bridge: invalid MAC address x'
  for (const body of [{ MacAddress: 'x' }, { NetworkingConfig: { EndpointsConfig: { bridge: { MacAddress: 'x' } } } }])
    await assert.rejects(box.create('bad', { ...body, HostConfig }), { kind: 'invalid', message })
})

test('one sample that is to go on is refused before the first', async () => {
  await using box = await EngineBox.open()
  await box.create('web')
  const { signal } = new AbortController()
  assert.throws(() => box.containers.stats('web', { stream: true, oneShot: true, signal }), {
    kind: 'invalid',
    message: 'cannot have stream=true and one-shot=true',
  })
})

test('a bind source that can be no folder is told of by its path, in words', async () => {
  await using box = await EngineBox.open()
  const long = `/${'a'.repeat(300)}`
  for (const Source of [long, '/etc/passwd/x'])
    await assert.rejects(box.create('bad', { HostConfig: { Mounts: [{ Type: 'bind', Source, Target: '/x' }] } }), {
      kind: 'invalid',
      message: `invalid mount config for type "bind": bind source path does not exist: ${Source}`,
    })
  for (const [i, [source, why]] of [
    [long, 'file name too long'],
    ['/etc/passwd/x', 'not a directory'],
  ].entries()) {
    await box.create(`c${i}`, { HostConfig: { Binds: [`${source}:/x`] } })
    await assert.rejects(box.containers.start(`c${i}`), {
      kind: 'invalid',
      message: `error while creating mount source path '${source}': mkdir ${source}: ${why}`,
    })
  }
})
