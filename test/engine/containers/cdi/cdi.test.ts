/** Devices by specifications: which files count, what a request means, what is added. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { inject } from '../../../../src/engine/containers/cdi/inject.ts'
import { readRegistry } from '../../../../src/engine/containers/cdi/registry.ts'
import { wantedDevices } from '../../../../src/engine/containers/cdi/wanted.ts'
import { temporaryFolder } from '../../../support/temporary-paths.ts'

const specification = (kind: string, devices: object, more: object = {}) => ({
  cdiVersion: '0.6.0',
  kind,
  devices: Object.entries(devices).map(([name, containerEdits]) => ({ name, containerEdits })),
  ...more,
})

/** Two folders, the second of which wins; a text is written as it is. */
function folders(t: TestContext, first: Record<string, unknown>, second: Record<string, unknown> = {}): string[] {
  const root = temporaryFolder(t)
  return [first, second].map((files, i) => {
    const folder = join(root, String(i))
    mkdirSync(folder)
    for (const [name, content] of Object.entries(files))
      writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content))
    return folder
  })
}

const request = (more: object) =>
  ({ Driver: '', Count: 0, DeviceIDs: null, Capabilities: null, Options: null, ...more }) as never

describe('readRegistry()', () => {
  test('takes JSON and YAML of its folders, the later folder before the earlier', async t => {
    const yaml = 'cdiVersion: "0.6.0"\nkind: b.c/d\ndevices:\n- name: "1"\n  containerEdits: {env: [A=2]}\n'
    const { devices, problems } = await readRegistry([
      ...folders(
        t,
        { 'a.json': specification('b.c/d', { 1: { env: ['A=1'] }, x: {} }), 'note.txt': '{' },
        { 'b.yaml': yaml },
      ),
      '/nowhere/at/all',
    ])
    assert.deepEqual(problems, [])
    assert.deepEqual([...devices.keys()].sort(), ['b.c/d=1', 'b.c/d=x'])
    assert.deepEqual(devices.get('b.c/d=1')!.edits, { env: ['A=2'] })
  })

  test('a device of two files of one folder is nobody’s, and a file that is wrong keeps no other from being used', async t => {
    const good = specification('b.c/d', { 1: {}, 2: {} })
    const { devices, problems } = await readRegistry(
      folders(
        t,
        { 'early.json': specification('b.c/d', { 1: {} }) },
        {
          'a.json': good,
          'b.json': specification('b.c/d', { 1: {} }),
          'c.json': '{"cdiVersion":',
          'd.json': { ...good, kind: '/x' },
          'e.json': { ...good, cdiVersion: '9.0.0' },
          'f.json': specification('b.c/e', { '-': {} }),
          'g.json': specification('b.c/e', { 1: { deviceNodes: [{ path: '/dev/../etc' }] } }),
          'h.json': specification('b.c/e', { 1: { strange: 1 } }),
        },
      ),
    )
    assert.deepEqual([...devices.keys()], ['b.c/d=2'])
    assert.deepEqual(
      problems.map(problem => problem.replace(/"\/\S*\/(?=[^/"]*")/, '"')),
      [
        'Cannot use device "b.c/d=1": two files of "1" describe it',
        'Cannot use device specification "c.json": Flow map must end with a } at line 1, column 15:',
        'Cannot use device specification "d.json": kind: it should be VENDOR/CLASS',
        'Cannot use device specification "e.json": cdiVersion: it should be one of 0.3.0, 0.4.0, 0.5.0, 0.6.0, 0.7.0, 0.8.0, 1.0.0, 1.1.0',
        'Cannot use device specification "f.json": devices.0.name: it is no name of a device',
        'Cannot use device specification "g.json": devices.0.containerEdits.deviceNodes.0.path: it should not hold ".."',
        'Cannot use device specification "h.json": devices.0.containerEdits: Unrecognized key: "strange"',
      ],
    )
  })
})

describe('wantedDevices()', () => {
  const wanted = async (t: TestContext, requests: object[], kinds: Record<string, object>) => {
    const files = Object.entries(kinds).map(([kind, devices], i) => [`${i}.json`, specification(kind, devices)])
    return wantedDevices(requests.map(request), await readRegistry(folders(t, Object.fromEntries(files))))
  }
  const cards = { 'nvidia.com/gpu': { 10: {}, 0: {}, 1: {}, all: {} } }

  test('devices by name, each once', async t => {
    const requests = [
      { Driver: 'cdi', DeviceIDs: ['a.b/c=1', 'a.b/c=2'] },
      { Driver: 'cdi', DeviceIDs: ['a.b/c=1'] },
    ]
    assert.deepEqual(await wanted(t, requests, {}), ['a.b/c=1', 'a.b/c=2'])
    await assert.rejects(wanted(t, [{ Driver: 'cdi', Count: 1 }], {}), {
      message: 'unexpected count in CDI device request',
    })
  })

  test('graphics cards: all, how many, which', async t => {
    const gpu = { Capabilities: [['gpu', 'utility']] }
    assert.deepEqual(await wanted(t, [{ ...gpu, Count: -1 }], cards), ['nvidia.com/gpu=all'])
    assert.deepEqual(await wanted(t, [{ ...gpu, Count: 2 }], cards), ['nvidia.com/gpu=0', 'nvidia.com/gpu=1'])
    assert.deepEqual(await wanted(t, [{ ...gpu, DeviceIDs: ['10'] }], cards), ['nvidia.com/gpu=10'])
    assert.deepEqual(await wanted(t, [{ Driver: 'nvidia', Count: 1 }], cards), ['nvidia.com/gpu=0'])
    const amd = { 'amd.com/gpu': { 0: {}, 1: {} } }
    assert.deepEqual(await wanted(t, [{ ...gpu, Count: -1 }], amd), ['amd.com/gpu=0', 'amd.com/gpu=1'])
    await assert.rejects(wanted(t, [{ ...gpu, Count: 4 }], cards), {
      message: 'Cannot give 4 devices of nvidia.com/gpu: there are 3',
    })
    await assert.rejects(wanted(t, [{ ...gpu, Count: 1, DeviceIDs: ['0'] }], cards), { message: /cannot set both/ })
  })

  test('what nobody describes is refused in the words of a Docker Engine', async t => {
    for (const [asked, kinds, message] of [
      [{ Capabilities: [['gpu']], Count: -1 }, {}, 'could not select device driver "" with capabilities: [[gpu]]'],
      [
        { Driver: 'amd', Capabilities: [['gpu']], Count: 1 },
        cards,
        'could not select device driver "amd" with capabilities: [[gpu]]',
      ],
      [{ Capabilities: [['tpu']], Count: 1 }, cards, 'could not select device driver "" with capabilities: [[tpu]]'],
    ] as const)
      await assert.rejects(wanted(t, [asked], kinds), { message })
  })
})

describe('inject()', () => {
  test('adds what holds for the file once, and for each device', async t => {
    const [folder] = folders(t, {
      'a.json': specification(
        'b.c/d',
        {
          1: { env: ['CARD=1'], deviceNodes: [{ path: '/dev/card1', hostPath: '/dev/null', permissions: 'rw' }] },
          2: {
            env: ['CARD=2'],
            deviceNodes: [{ path: '/dev/card2', type: 'b', major: 7, minor: 3, fileMode: 0o640, gid: 44 }],
          },
        },
        {
          containerEdits: {
            env: ['DRIVER=5'],
            mounts: [
              {
                hostPath: '/etc',
                containerPath: '/opt/driver',
                options: ['ro', 'nosuid', 'nodev', 'rbind', 'rprivate'],
              },
              { hostPath: '/etc/passwd', containerPath: '/opt/file', options: ['bind'] },
            ],
            hooks: [{ hookName: 'createContainer', path: '/usr/bin/ctk', args: ['ctk', 'hook', 'update-ldcache'] }],
            additionalGids: [0, 44],
          },
        },
      ),
    })
    const { env, nodes, rules, mounts, groups, left } = await inject(
      ['b.c/d=1', 'b.c/d=2'],
      await readRegistry([folder!]),
    )
    assert.deepEqual(env, ['DRIVER=5', 'CARD=1', 'CARD=2'])
    assert.deepEqual(nodes, [
      { cause: 'CDI b.c/d=1', path: '/dev/card1', type: 'c', major: 1, minor: 3, mode: 0o666, uid: 0, gid: 0 },
      { cause: 'CDI b.c/d=2', path: '/dev/card2', type: 'b', major: 7, minor: 3, mode: 0o640, uid: 0, gid: 44 },
    ])
    assert.deepEqual(rules, [
      { allow: true, type: 'c', major: 1, minor: 3, access: 'rw' },
      { allow: true, type: 'b', major: 7, minor: 3, access: 'rwm' },
    ])
    assert.deepEqual(
      mounts.map(mount =>
        mount.kind === 'bind'
          ? [mount.source, mount.target, mount.readonly, mount.recursive, mount.directory, mount.flags]
          : [],
      ),
      [
        ['/etc', '/opt/driver', true, true, true, ['nosuid', 'nodev']],
        ['/etc/passwd', '/opt/file', false, false, false, []],
      ],
    )
    assert.deepEqual(groups, [44])
    assert.deepEqual(left, ['createContainer hook "/usr/bin/ctk hook update-ldcache" of b.c/d'])
  })

  test('refuses what is not there, or cannot be done, and says what', async t => {
    const registry = await readRegistry(
      folders(t, {
        'a.json': specification('b.c/d', {
          gone: { deviceNodes: [{ path: '/dev/x', hostPath: '/dev/no-such-node' }] },
          file: { deviceNodes: [{ path: '/dev/x', hostPath: '/etc/passwd' }] },
          other: { deviceNodes: [{ path: '/dev/null', type: 'b' }] },
          pipe: { deviceNodes: [{ path: '/dev/x', type: 'p' }] },
          mount: { mounts: [{ hostPath: '/no-such', containerPath: '/x' }] },
          type: { mounts: [{ hostPath: '/etc', containerPath: '/x', type: 'overlay' }] },
          option: { mounts: [{ hostPath: '/etc', containerPath: '/x', options: ['bind', 'size=1'] }] },
        }),
      }),
    )
    for (const [device, message] of [
      ['none', 'CDI device injection failed: unresolvable CDI devices b.c/d=none'],
      [
        'gone',
        'CDI device injection failed: failed to fill in device node "/dev/no-such-node" of CDI b.c/d=gone: no such file or directory',
      ],
      ['file', /it is no device$/],
      ['other', /its type is c, and not b$/],
      ['pipe', /it is a named pipe$/],
      ['mount', 'Cannot mount "/no-such" for CDI b.c/d=mount: there is no such file or folder'],
      ['type', /its type is "overlay", and should be bind$/],
      ['option', /option "size=1" is not known$/],
    ] as const)
      await assert.rejects(inject([`b.c/d=${device}`], registry), { message }, device)
  })
})
