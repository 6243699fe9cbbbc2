/** Files that are copied in and out, committed, exported and told of while what they lie in means harm. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { constants, gzipSync, zstdCompressSync } from 'node:zlib'
import { Hostile, hostileSkip, secret } from '../../support/hostile.ts'
import { lacking, program } from '../../support/needs.ts'
import { patience } from '../../support/patience.ts'
import { type TinyFiles, tinyTar } from '../../support/tiny-image.ts'

describe('no way out by files:', { skip: hostileSkip(), timeout: 240_000 * patience }, () => {
  let at: Hostile
  let canary: string
  before(async () => {
    at = await Hostile.start()
    canary = at.canary
  })
  after(() => at.stop())

  const noSecret = (text: string, what = ''): void => assert.doesNotMatch(text, new RegExp(secret), what)

  /** Tools that leave a mark where they run, in all folders of the usual PATH, and a library that C programs load for users. */
  const shadows = (tree: string): void => {
    for (const folder of ['bin', 'usr/bin', 'sbin', 'usr/sbin', 'usr/local/bin', 'lib', 'lib64', 'usr/lib'])
      mkdirSync(join(tree, folder), { recursive: true })
    const mark = `#!/bin/busybox sh\necho $0 >> /marks\nexec /bin/busybox cat\n`
    for (const tool of [
      'xz',
      'unxz',
      'gzip',
      'gunzip',
      'zcat',
      'unpigz',
      'pigz',
      'bzip2',
      'zstd',
      'tar',
      'ps',
      'nsenter',
      'nft',
      'mount',
      'ip',
    ])
      for (const folder of ['usr/bin', 'usr/local/bin', 'sbin'])
        writeFileSync(join(tree, folder, tool), mark, { mode: 0o755 })
    for (const folder of ['lib', 'lib64', 'usr/lib'])
      for (const library of ['libnss_files.so.2', 'libc.so.6', 'ld-linux-x86-64.so.2', 'libnftables.so.1'])
        writeFileSync(join(tree, folder, library), mark, { mode: 0o755 })
  }

  test('archives in every compression are unpacked by the engine itself, not by programs of the container', {
    skip: lacking(program('xz'), program('bzip2')),
  }, async () => {
    await at.image('shadow', shadows)
    await at.begin('shadowed', 'shadow', '/bin/busybox', 'sleep', '1000')
    const tar = await tinyTar({ file: 'text\n' })
    const packed: Readonly<Record<string, Buffer>> = {
      plain: tar,
      gzip: gzipSync(tar),
      zstd: zstdCompressSync(tar, { params: { [constants.ZSTD_c_compressionLevel]: 3 } }),
      xz: execFileSync('xz', ['-c'], { input: tar }),
      bzip2: execFileSync('bzip2', ['-c'], { input: tar }),
    }
    for (const [kind, archive] of Object.entries(packed)) {
      const put = await at.raw('PUT', '/containers/shadowed/archive?path=/tmp', archive)
      assert.equal(put.status, 200, `${kind}: ${put.text}`)
      const got = await at.raw('GET', '/containers/shadowed/archive?path=/tmp/file')
      assert.match(got.text, /text/, kind)
      await at.engine.runDocker('exec', 'shadowed', '/bin/busybox', 'rm', '/tmp/file')
    }
    for (const words of [
      ['top', 'shadowed'],
      ['diff', 'shadowed'],
      ['stats', '--no-stream', 'shadowed'],
      ['cp', 'shadowed:/etc', '-'],
      ['commit', 'shadowed', 'shadow:2'],
    ])
      assert.equal((await at.engine.docker(words)).code, 0, words.join(' '))
    assert.equal((await at.raw('GET', '/containers/shadowed/export')).status, 200)
    const marks = await at.engine.docker(['exec', 'shadowed', '/bin/busybox', 'cat', '/marks'])
    assert.match(marks.stderr, /No such file/, marks.stdout)
    await at.remove('shadowed')
  })

  test('the folder above a volume is swapped for a link to the host while files are copied through it', async () => {
    const swap = `cd /data; while :; do mv /data/v0 /kept 2>/dev/null; ln -sfn ${canary} /data/l; ln -sfn / /data/m; rm /data/l /data/m; mkdir -p /data/l /data/m; rmdir /data/l /data/m; done`
    await at.begin('above', '-v', 'under:/data/l/v', '-v', 'base:/data', 'busybox', 'sh', '-c', swap)
    const archive = await tinyTar({ victim: 'overwritten', 'new/made': 'made' })
    for (let i = 0; i < 80; i++) {
      for (const path of ['/data/l', '/data/l/v', `/data/m${canary}`]) {
        await at.raw('PUT', `/containers/above/archive?path=${path}`, archive)
        noSecret((await at.raw('GET', `/containers/above/archive?path=${path}/victim`)).text)
      }
      const { text } = await at.raw('HEAD', '/containers/above/archive?path=/data/l/victim')
      noSecret(text)
    }
    await at.raw('POST', '/containers/above/stop?t=0')
    await at.raw('PUT', '/containers/above/archive?path=/data/l/v', archive)
    at.holdCanary()
    await at.remove('above')
  })

  test('modes and owners that are copied in reach nothing behind a link, of volumes neither', async () => {
    await at.begin(
      'modes',
      '-v',
      'moded:/v',
      'busybox',
      'sh',
      '-c',
      `ln -s ${canary} /v/l; ln -s ${canary}/victim /v/f; ln -s / /v/root; exec sleep 1000`,
    )
    for (const running of [true, false]) {
      if (!running) await at.raw('POST', '/containers/modes/stop?t=0')
      const hostile: readonly TinyFiles[] = [
        { 'l/': { mode: 0o4777, uid: 1, gid: 1 } },
        { f: { mode: 0o777, content: 'x' } },
        { 'l/victim': { mode: 0o4777, content: 'x' } },
        { 'root/tmp/': { mode: 0o700 } },
        { h: { type: 'link', linkname: 'f' } },
        { h: { type: 'link', linkname: `${canary}/victim` } },
      ]
      for (const files of hostile) {
        await at.raw('PUT', '/containers/modes/archive?path=/v', await tinyTar(files))
        await at.raw('PUT', '/containers/modes/archive?path=/v/l', await tinyTar(files))
        at.holdCanary()
      }
      noSecret((await at.raw('GET', '/containers/modes/archive?path=/v')).text)
    }
    await at.remove('modes')
  })

  test('commit, export and diff tell of links, and of nothing behind them', async () => {
    await at.begin(
      'links',
      'busybox',
      'sh',
      '-c',
      `ln -s ${canary} /a; ln -s ${canary}/victim /b; ln -s /proc/1/root /c; exec sleep 1000`,
    )
    await at.engine.runDocker('exec', 'links', 'ls', '/b').catch(() => undefined)
    const exported = await at.raw('GET', '/containers/links/export')
    noSecret(exported.text)
    assert.match(exported.text, /CANARY|canary/)
    const { text } = await at.raw('GET', '/containers/links/changes')
    assert.deepEqual(
      JSON.parse(text)
        .map(({ Path }: { Path: string }) => Path)
        .sort(),
      ['/a', '/b', '/c'],
    )
    await at.engine.runDocker('commit', 'links', 'links:2')
    noSecret((await at.raw('GET', '/images/links:2/get')).text)
    const listed = await at.engine.docker(['run', '--rm', 'links:2', 'sh', '-c', 'readlink /a; readlink /b; cat /b'])
    assert.equal(listed.stdout, `${canary}\n${canary}/victim\n`)
    await at.remove('links')
  })

  test('files change their kind while they are exported, committed and copied', async () => {
    const swap = `mkdir /x; while :; do echo own > /x/f; rm /x/f; ln -s ${canary}/victim /x/f; rm /x/f; mkdir /x/f; rmdir /x/f; mknod /x/f p; rm /x/f; ln -s ${canary} /x/d; rm /x/d; mkdir -p /x/d/e; rm -r /x/d; done`
    await at.begin('changing', '-v', 'changed:/x', 'busybox', 'sh', '-c', swap.replace('mkdir /x;', ''))
    await at.begin('changing2', 'busybox', 'sh', '-c', swap)
    for (let i = 0; i < 15; i++)
      for (const path of [
        '/containers/changing/archive?path=/x',
        '/containers/changing2/archive?path=/x',
        '/containers/changing2/export',
        '/containers/changing2/changes',
      ]) {
        const answer = await Promise.race([at.raw('GET', path).catch(() => undefined), late(20_000 * patience)])
        assert.notEqual(answer, 'late', `${path} hangs`)
        noSecret((answer as { text: string } | undefined)?.text ?? '', path)
      }
    for (let i = 0; i < 3; i++) {
      const made = await at.raw('POST', '/commit?container=changing2&repo=changed&tag=1&pause=0', {})
      if (made.status === 201) noSecret((await at.raw('GET', '/images/changed:1/get')).text)
    }
    assert.ok((await at.ping()) < 2000 * patience)
    await at.remove('changing', 'changing2')
  })

  test('volumes are filled from folders of the image, not from what its links name', async () => {
    const up = '../../../../../../../..'
    const name = await at.image(
      'volumelinks',
      tree => {
        symlinkSync(canary, join(tree, 'abs'))
        symlinkSync(`${up}${canary}`, join(tree, 'rel'))
        mkdirSync(join(tree, 'in'))
        symlinkSync(join(canary, 'victim'), join(tree, 'in/f'))
        symlinkSync('/proc/self/root', join(tree, 'rooted'))
      },
      ...['/abs', '/rel', '/in', `/rooted${canary}`].flatMap(path => ['-c', `VOLUME ${path}`]),
    )
    for (const round of ['image', 'named']) {
      const flags = round === 'image' ? [] : ['/abs', '/rel', '/in'].flatMap((path, i) => ['-v', `filled${i}:${path}`])
      const made = await at.engine.docker([
        'create',
        '--name',
        `filled${round}`,
        ...flags,
        name,
        'sh',
        '-c',
        'cat /abs/victim /rel/victim /in/f',
      ])
      if (made.code !== 0) continue
      await at.engine.docker(['start', '-a', `filled${round}`])
      noSecret((await at.engine.docker(['logs', `filled${round}`])).stdout)
      await at.remove(`filled${round}`)
    }
    const volumes = JSON.parse((await at.raw('GET', '/volumes')).text).Volumes as { Mountpoint: string }[]
    for (const { Mountpoint } of volumes)
      noSecret(execFileSync('find', [Mountpoint, '-type', 'f', '-exec', 'cat', '{}', '+'], { encoding: 'utf8' }))
  })

  test('the folders of the engine are closed to users of the host, whatever is set-uid in them', async () => {
    const name = await at.image('setuid', tree =>
      writeFileSync(join(tree, 'su0'), readFileSync('/bin/busybox'), { mode: 0o4755 }),
    )
    await at.begin('suid', '-v', 'kept:/kept', name, 'sh', '-c', 'cp /su0 /kept/su1 2>/dev/null; exec sleep 1000')
    const { data, run } = at.engine.roots
    const asNobody = (script: string) =>
      execFileSync('setpriv', ['--reuid', '65534', '--regid', '65534', '--clear-groups', 'sh', '-c', script], {
        encoding: 'utf8',
      })
    for (const folder of ['images', 'layers', 'volumes', 'containers', ''])
      for (const root of [data, run])
        assert.equal(
          asNobody(`ls -R ${root}/${folder} 2>/dev/null; true`).replace(/^.*:\n/, ''),
          '',
          `${root}/${folder}`,
        )
    const open = execFileSync('find', [data, run, '-maxdepth', '1', '(', '-perm', '-o=r', '-o', '-perm', '-o=x', ')'], {
      encoding: 'utf8',
    })
    const outer = execFileSync(
      'find',
      [data, run, '-maxdepth', '0', '(', '-perm', '-o=r', '-o', '-perm', '-o=x', ')'],
      { encoding: 'utf8' },
    )
    assert.equal(outer, '', open)
    await at.remove('suid')
  })

  function late(ms: number): Promise<'late'> {
    return new Promise(resolve => setTimeout(resolve, ms, 'late').unref())
  }
})
