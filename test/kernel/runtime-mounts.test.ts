import assert from 'node:assert/strict'
import { mkdir, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { readFacts } from '../../src/runtime/host.ts'
import { Box, kernelSkip } from './runtime-box.ts'

const facts = await readFacts()

describe('Runtime.start() of a root and its mounts', { skip: kernelSkip() }, () => {
  let box: Box
  before(async () => {
    box = await Box.open()
  })
  after(async () => {
    await box[Symbol.asyncDispose]()
  })

  it('keeps the root read-only but not /dev/shm and volumes', async () => {
    const source = join(box.folder, 'volume')
    await mkdir(source, { recursive: true })
    const base = await box.spec([
      'sh',
      '-c',
      'touch /x 2>&1; touch /dev/shm/y /data/sub/z && echo fine; cat /ro/z; touch /ro/w 2>&1',
    ])
    const { stdout } = await box.run({
      ...base,
      root: { ...base.root, readonly: true },
      mounts: [
        {
          kind: 'bind',
          source,
          target: '/data/sub',
          readonly: false,
          recursive: true,
          propagation: 'rprivate',
          directory: true,
          flags: [],
          cause: 'test',
        },
        {
          kind: 'bind',
          source,
          target: '/ro',
          readonly: true,
          recursive: true,
          propagation: 'rprivate',
          directory: true,
          flags: ['nosuid'],
          cause: 'test',
        },
      ],
    })
    assert.match(stdout, /^touch: \/x: Read-only file system\nfine\ntouch: \/ro\/w: Read-only file system\n$/)
  })

  it('binds files, mounts tmpfs with its options, and refuses targets in procfs', async () => {
    const source = join(box.folder, 'file')
    await writeFile(source, 'content\n')
    await symlink('/proc', join(box.folder, 'root/toproc')).catch(() => undefined)
    const file = {
      kind: 'bind',
      source,
      target: '/etc/new/file',
      readonly: false,
      recursive: false,
      propagation: 'rprivate',
      directory: false,
      flags: [],
      cause: 'test',
    } as const
    const { stdout } = await box.shell('cat /etc/new/file; grep " /scratch " /proc/self/mountinfo', {
      mounts: [
        file,
        { kind: 'tmpfs', target: '/scratch', data: 'size=64k,mode=1770', flags: ['noexec', 'nosuid'], cause: 'test' },
      ],
    })
    assert.match(stdout, /^content\n.*nosuid,noexec.* tmpfs .*size=64k,mode=1770/)
    await assert.rejects(box.shell('true', { mounts: [{ ...file, target: '/proc/version' }] }), { kind: 'invalid' })
    await assert.rejects(
      box.shell('true', { mounts: [{ ...file, target: '/toproc/uptime' }] }),
      /Cannot mount on "\/toproc\/uptime": EACCES/,
    )
    await assert.rejects(
      box.shell('true', { mounts: [{ ...file, source: `${source}-none` }] }),
      /Cannot mount .*ENOENT/,
    )
  })

  it('mounts below a root of the host and its procfs as below any folder, and over /proc only another procfs', async () => {
    const bind = {
      kind: 'bind',
      cause: 'HostConfig.Binds',
      readonly: true,
      propagation: 'rprivate',
      flags: [],
    } as const
    const folder = { ...bind, recursive: true, directory: true }
    const host = { ...folder, source: '/', target: '/host' }
    const uptime = { ...bind, recursive: false, directory: false, source: '/proc/self/comm', target: '/proc/uptime' }
    const { stdout } = await box.shell('grep -c " /host/proc proc" /proc/mounts; cat /proc/uptime', {
      mounts: [host, { ...folder, source: '/proc', target: '/host/proc' }, uptime],
    })
    assert.match(stdout, /^[12]\ncat\n$/)
    const own = (source: string) =>
      box.shell('test -r /proc/1/status && echo there', { mounts: [{ ...folder, source, target: '/proc' }] })
    assert.equal((await own('/proc')).stdout, 'there\n')
    await assert.rejects(own('/etc'), /Cannot mount on "\/proc": EACCES/)
  })

  it('mounts a part of a folder, by links that stay in it', async () => {
    const source = join(box.folder, 'parts')
    await mkdir(join(source, 'real/deep'), { recursive: true })
    await writeFile(join(source, 'real/file'), 'inside')
    for (const [name, to] of Object.entries({ rel: 'real', out: '../..', abs: '/etc', gone: 'nowhere' }))
      await symlink(to, join(source, name)).catch(() => undefined)
    const part = (beneath: string) =>
      box.shell('cat /part/file 2>/dev/null || cat /part', {
        mounts: [
          {
            kind: 'bind',
            cause: 'HostConfig.Mounts[0]',
            source,
            beneath,
            target: '/part',
            readonly: true,
            recursive: true,
            propagation: 'rprivate',
            directory: undefined,
            flags: [],
          },
        ],
      })
    for (const beneath of ['real', 'rel', 'rel/deep/..', 'rel/file'])
      assert.equal((await part(beneath)).stdout, 'inside')
    for (const beneath of ['out', 'abs'])
      await assert.rejects(part(beneath), {
        kind: 'invalid',
        message: /^path concatenation escapes the base directory/,
      })
    await assert.rejects(part('gone'), {
      kind: 'not-found',
      message: /^cannot access path .*: no such file or directory$/,
    })
  })

  it('mounts an image of several layers for reading, whole or in part', async () => {
    const layers = [join(box.folder, 'low'), join(box.folder, 'high')]
    for (const layer of layers) await mkdir(join(layer, 'sub'), { recursive: true })
    await writeFile(join(layers[0]!, 'sub/name'), 'low')
    await writeFile(join(layers[0]!, 'sub/only'), 'below')
    await writeFile(join(layers[1]!, 'sub/name'), 'high')
    const read = (path: string, mount: { readonly layers: readonly string[]; readonly beneath?: string }) =>
      box.shell(`cat ${path}; touch ${path} 2>&1`, {
        mounts: [{ kind: 'image', cause: 'HostConfig.Mounts[0]', target: '/img', ...mount }],
      })
    assert.match((await read('/img/sub/name', { layers })).stdout, /^high.*Read-only file system/)
    assert.match((await read('/img/only', { layers, beneath: 'sub' })).stdout, /^below.*Read-only/)
    assert.match((await read('/img', { layers, beneath: 'sub/name' })).stdout, /^high.*Read-only/)
    assert.match((await read('/img/name', { layers: layers.slice(0, 1), beneath: 'sub' })).stdout, /^low.*Read-only/)
  })

  it('never follows a link of the image out of the root', async () => {
    const canary = join(box.folder, 'canary')
    await mkdir(canary, { recursive: true })
    await symlink(canary, join(box.folder, 'root/escape')).catch(() => undefined)
    const source = join(box.folder, 'volume')
    await mkdir(source, { recursive: true })
    const mount = {
      kind: 'bind',
      source,
      target: '/escape/made',
      readonly: false,
      recursive: true,
      propagation: 'rprivate',
      directory: true,
      flags: [],
      cause: 'test',
    } as const
    await box.shell('true', { mounts: [mount] }).catch(() => undefined)
    await assert.rejects(stat(join(canary, 'made')), { code: 'ENOENT' })
  })

  it('starts an image of 100 layers', { skip: !facts.layerByLayer && 'needs Linux 6.5' }, async () => {
    const layers: string[] = []
    for (let n = 0; n < 100; n++) {
      const layer = join(
        box.folder,
        `layer${n}`,
        'a-rather-long-name-so-that-one-option-string-cannot-carry-them-all',
        'root',
      )
      await mkdir(layer, { recursive: true })
      await writeFile(join(layer, 'top'), String(n))
      layers.push(layer)
    }
    const base = await box.spec(['cat', '/top'])
    const { stdout } = await box.run({ ...base, root: { ...base.root, layers: [base.root.layers[0]!, ...layers] } })
    assert.equal(stdout, '99')
  })
})
