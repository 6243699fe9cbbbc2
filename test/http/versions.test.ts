import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import type { ContainerInspect } from '../../src/api/containers.ts'
import type { Image } from '../../src/engine/images/image.ts'
import { imageInspect, imageSummary } from '../../src/engine/server/image-shapes.ts'
import {
  olderCreate,
  olderImage,
  olderImageSummary,
  olderInfo,
  olderInspect,
  olderSummary,
  olderUpdate,
} from '../../src/engine/server/older.ts'
import { shared } from '../support/needs.ts'

test('inspect lists the short id and the hostname as aliases below API 1.45, as a Docker Engine does', async t => {
  const [newest, older] = ['container-inspect', 'container-inspect-api1.43-diff'].map(name =>
    shared(`engine-api/samples/${name}.json`),
  )
  if (!newest || !older) return t.skip('the recorded samples are not on this machine')
  const inspect: ContainerInspect = JSON.parse(await readFile(newest, 'utf8'))
  const aliases = JSON.parse(await readFile(older, 'utf8'))['NetworkSettings.Networks.am-snet'].Aliases
  assert.deepEqual(olderInspect(inspect, '1.43').NetworkSettings.Networks?.['am-snet']?.Aliases, aliases)
  assert.equal(olderInspect(inspect, '1.45'), inspect)
})

test('what came later is neither shown to an older client nor taken from it', () => {
  const summary = { HostConfig: { NetworkMode: 'none', Annotations: { a: 'b' } } } as never
  assert.deepEqual(olderSummary(summary, '1.45').HostConfig, { NetworkMode: 'none' })
  assert.equal(olderSummary(summary, '1.46'), summary)
  const FirewallBackend = { Driver: 'nftables' }
  const info = { ID: 'x', FirewallBackend } as never
  const older = { ID: 'x', BridgeNfIptables: false, BridgeNfIp6tables: false }
  assert.deepEqual(olderInfo(info, '1.48'), older)
  assert.deepEqual(olderInfo(info, '1.49'), { ...older, FirewallBackend })
  assert.equal(olderInfo(info, '1.50'), info)
  const two = { Image: 'x', NetworkingConfig: { EndpointsConfig: { b: {}, a: {} } } }
  assert.throws(() => olderCreate(two, '1.43'), {
    kind: 'invalid',
    message: 'Container cannot be created with multiple network endpoints: a, b',
  })
  assert.equal(olderCreate(two, '1.44'), two)
  const limited = { Image: 'x', HostConfig: { PidsLimit: 5, Memory: 1 } }
  assert.deepEqual(olderCreate(limited, '1.39').HostConfig, { Memory: 1, IpcMode: 'shareable' })
  assert.equal(olderCreate(limited, '1.40'), limited)
  const closed = { Image: 'x', HostConfig: { IpcMode: 'private' } }
  assert.deepEqual(olderCreate(closed, '1.39').HostConfig, { IpcMode: 'private' })
  assert.deepEqual(olderUpdate({ PidsLimit: 5, Memory: 1 }, '1.39'), { Memory: 1 })
  assert.deepEqual(olderUpdate({ PidsLimit: 5 }, '1.40'), { PidsLimit: 5 })
})

test('of an image that was committed older clients are told from what, newer ones neither that nor what was of its container', () => {
  const had = { Hostname: 'c0ffee', AttachStdout: true, Cmd: ['true'], Env: ['A=b'] }
  const image = {
    ...{ id: 'sha256:1', tags: [], digests: [], size: 7, created: new Date(0), architecture: 'amd64', os: 'linux' },
    ...{
      author: '',
      comment: '',
      diffIds: [],
      config: { ...had, Cmd: ['x'] },
      parent: undefined,
      lastTagged: undefined,
    },
    committed: { container: 'c0ffee00', config: had },
  } as unknown as Image
  const inspect = imageInspect(image, { layers: [], storage: 'vfs' })
  const at = (version: string) => olderImage(inspect, image, version)
  const bare = { Entrypoint: null, Labels: null, OnBuild: null, User: '', Volumes: null, WorkingDir: '' }
  assert.deepEqual(at('1.51').Config, { ...bare, Cmd: ['x'], Env: ['A=b'] })
  assert.ok(!('ContainerConfig' in at('1.51')))
  const { Hostname, AttachStdout, Cmd } = at('1.49').Config as typeof had
  assert.deepEqual([Hostname, AttachStdout, Cmd], ['', false, ['x']])
  const { Container, ContainerConfig, VirtualSize } = at('1.44')
  assert.deepEqual([Container, ContainerConfig?.Hostname, ContainerConfig?.Cmd], ['c0ffee00', 'c0ffee', ['true']])
  assert.equal(VirtualSize, undefined)
  assert.equal(at('1.43').VirtualSize, 7)
  assert.equal(olderImage(inspect, {}, '1.43').Container, undefined)
  assert.deepEqual(olderImage(inspect, {}, '1.43').ContainerConfig?.Cmd, ['x'])
})

test('a list of images is as older clients know it', () => {
  const image = { id: 'sha256:1', tags: [], digests: [], size: 7, created: new Date(0), config: {} } as unknown as Image
  const summary = imageSummary(image, { containers: 2 })
  const at = (version: string) => {
    const { Containers, VirtualSize, RepoTags } = olderImageSummary(summary, version)
    return [Containers, VirtualSize, RepoTags]
  }
  assert.deepEqual(at('1.51'), [2, undefined, []])
  assert.deepEqual(at('1.50'), [-1, undefined, []])
  assert.deepEqual(at('1.43'), [-1, 7, []])
  assert.deepEqual(at('1.42'), [-1, 7, ['<none>:<none>']])
})
