/** Images go to and from one registry by us, by skopeo and by a Docker Engine, and mean the same to all of them. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { setXattr } from '../../src/runtime/native.ts'
import { command } from '../support/command.ts'
import { TestEngine } from '../support/engine.ts'
import { dockerEngine, lacking, program, root, which } from '../support/needs.ts'
import { hasRegistry, registryUser, startRegistry, type TestRegistry } from '../support/registry.ts'
import { hasSkopeo, skopeo } from '../support/skopeo.ts'
import { slowProxy } from '../support/slow-proxy.ts'
import { busyboxFiles, sha256, type TinyFiles, tinyImageTar, tinyManifest, tinyParts } from '../support/tiny-image.ts'

const needs = lacking(root(), program('busybox'), program('docker'), !hasRegistry && 'the program "docker-registry"')
const peer = await dockerEngine()

describe('registries', { skip: needs, concurrency: false }, () => {
  let engine: TestEngine
  before(async () => {
    engine = await TestEngine.start(['busybox'], {
      config: folder => ({ 'registry-certificates': [join(folder, 'certs')] }),
    })
  })
  after(() => engine.stop())

  const docker = async (...args: readonly string[]) => {
    const said = await engine.docker(args, { timeout: 120_000 })
    assert.equal(said.code, 0, said.stderr)
    return said.stdout.trim()
  }
  const load = async (tag: string, files: TinyFiles) => {
    const tar = await tinyImageTar({ tag, files, config: { Cmd: ['cat', '/who'] } })
    const path = join(engine.folder, 'image.tar')
    writeFileSync(path, tar)
    await docker('load', '-q', '-i', path)
  }

  /** Of a folder, in two steps. */
  const build = async (tag: string, who: string) => {
    const stack = engine.stack(`services:\n  app: {build: ., image: "${tag}"}\n`)
    writeFileSync(
      join(stack.folder, 'Dockerfile'),
      'FROM busybox\nCOPY who /\nRUN cat /who >/made\nCMD ["cat", "/made"]\n',
    )
    writeFileSync(join(stack.folder, 'who'), who)
    await stack.run('build', '-q')
  }

  test('docker push and pull through our engine', async () => {
    await using registry = await startRegistry()
    const name = `${registry.host}/am/app:1`
    await load(name, { ...busyboxFiles(), who: 'us' })
    const said = await docker('push', name)
    assert.match(said, /^The push refers to repository \[127\.0\.0\.1:\d+\/am\/app\]$/m)
    assert.match(said, /^1: digest: sha256:[0-9a-f]{64} size: \d+$/m)
    await docker('rmi', name)
    await docker('pull', '-q', name)
    assert.equal(await docker('run', '--rm', name), 'us')
    await docker('rmi', name)
  })

  test('a stack is built and pushed in one go, from a folder; a container of it is committed; both come back', async () => {
    await using registry = await startRegistry()
    const [built, committed] = [`${registry.host}/built:1`, `${registry.host}/committed:1`]
    const stack = engine.stack(`services:\n  app: {build: ., image: "${built}"}\n`)
    writeFileSync(
      join(stack.folder, 'Dockerfile'),
      'FROM busybox\nCOPY who /\nRUN echo made >/made\nCMD cat /who /made\n',
    )
    writeFileSync(join(stack.folder, 'who'), 'from a folder\n')
    const said = await stack.try('build', '--push')
    assert.equal(said.code, 0, said.stderr)
    const id = await docker('create', built)
    await docker('commit', '-c', 'CMD ["cat", "/made"]', id, committed)
    await docker('rm', id)
    await docker('push', '-q', committed)
    const ids = await docker('inspect', '-f', '{{.Id}}', built, committed)
    await docker('rmi', built, committed)
    await docker('builder', 'prune', '-af')
    for (const name of [built, committed]) await docker('pull', '-q', name)
    assert.equal(await docker('inspect', '-f', '{{.Id}}', built, committed), ids)
    assert.equal(await docker('run', '--rm', built), 'from a folder\nmade')
    assert.equal(await docker('run', '--rm', committed), 'made')
    await docker('rmi', built, committed)
  })

  test('a registry with TLS is reached by its own authority, and by no other', {
    skip: program('openssl'),
  }, async () => {
    await using registry = await startRegistry({ tls: true, auth: true })
    await using other = await startRegistry({ tls: true })
    const own = join(engine.folder, 'certs', registry.host)
    mkdirSync(own, { recursive: true })
    const name = `${registry.host}/app:1`
    await load(name, { ...busyboxFiles(), who: 'by TLS' })
    writeFileSync(join(own, 'ca.crt'), other.ca!)
    const login = ['login', '-u', registryUser.username, '--password-stdin', registry.host]
    assert.match((await engine.docker(login, { input: registryUser.password })).stderr, /certificate/)
    writeFileSync(join(own, 'ca.crt'), registry.ca!)
    const said = await engine.docker(login, { input: registryUser.password })
    assert.equal(said.code, 0, said.stderr)
    await docker('push', '-q', name)
    await docker('rmi', name)
    await docker('pull', '-q', name)
    assert.equal(await docker('run', '--rm', name), 'by TLS')
    await docker('rmi', name)
    await docker('logout', registry.host)
  })

  test('a registry is killed in the middle of a pull and started again: the pull goes on, and ends', async t => {
    await using registry = await startRegistry()
    const noise = randomBytes(3_000_000)
    await registry.pushImage('big', '1', {
      layers: [{ ...busyboxFiles(), noise }],
      config: { Cmd: ['md5sum', '/noise'] },
    })
    const slow = await slowProxy(t, registry)
    await docker('pull', '-q', `${slow.host}/big:1`)
    assert.ok(slow.ranges.length > 0)
    const sum = createHash('md5').update(noise).digest('hex')
    assert.equal(await docker('run', '--rm', `${slow.host}/big:1`), `${sum}  /noise`)
    await docker('rmi', `${slow.host}/big:1`)
  })

  test('a blob that is corrupted in the registry is refused by its digest, and nothing is left of it', async () => {
    await using registry = await startRegistry()
    const image = { files: { corrupted: 'x'.repeat(1000) } }
    await registry.pushImage('bad', '1', image)
    const digest = sha256((await tinyParts(image)).layers[0]!)
    const bytes = readFileSync(registry.blobPath(digest))
    bytes[bytes.length >> 1]! ^= 1
    writeFileSync(registry.blobPath(digest), bytes)
    const said = await engine.docker(['pull', `${registry.host}/bad:1`])
    assert.equal(said.code, 1)
    assert.match(said.stderr, new RegExp(digest))
    assert.equal((await engine.docker(['image', 'inspect', `${registry.host}/bad:1`])).code, 1)
  })

  test('docker login and tscompose login, then push to a registry that asks who it is', async () => {
    await using registry = await startRegistry({ auth: true })
    const name = `${registry.host}/app:1`
    await load(name, { who: 'us' })
    assert.match((await engine.docker(['push', name])).stderr, /no basic auth credentials/)
    const wrong = ['login', '-u', 'alice', '--password-stdin', registry.host]
    assert.match((await engine.docker(wrong, { input: 'wrong' })).stderr, /401 Unauthorized/)
    const said = await engine.tscompose(wrong, { input: `${registryUser.password}\n` })
    assert.equal(said.code, 0, said.stderr)
    await docker('push', name)
    assert.equal((await engine.tscompose(['logout', registry.host])).code, 0)
    assert.equal((await engine.docker(['push', name])).code, 1)
    assert.doesNotMatch(engine.log, /correct horse/)
    await docker('rmi', name)
  })

  test('skopeo reads what we push, and we read what it pushes, in OCI and Docker form', {
    skip: !hasSkopeo && 'needs skopeo',
  }, async () => {
    await using registry = await startRegistry()
    const name = `${registry.host}/ours:1`
    await build(name, 'us')
    await docker('push', name)
    const folder = mkdtempSync(join(tmpdir(), 'tscompose-skopeo-'))
    try {
      const copy = async (from: string, to: string, ...more: readonly string[]) => {
        const said = await skopeo('copy', '-q', ...more, from, to)
        assert.equal(said.code, 0, said.stderr)
      }
      const insecure = ['--src-tls-verify=false', '--dest-tls-verify=false']
      await copy(`docker://${name}`, `oci:${folder}/layout:1`, ...insecure)
      await docker('rmi', name)
      for (const format of ['oci', 'v2s2']) {
        const theirs = `${registry.host}/theirs:${format}`
        await copy(`oci:${folder}/layout:1`, `docker://${theirs}`, '--format', format, ...insecure)
        await docker('pull', '-q', theirs)
        assert.equal(await docker('run', '--rm', theirs), 'us')
        // and back again, as it came
        const digest = async (reference: string) =>
          JSON.parse((await skopeo('inspect', '--tls-verify=false', `docker://${reference}`)).stdout).Digest
        const before = await digest(theirs)
        await docker('tag', theirs, `${registry.host}/again:${format}`)
        await docker('push', '-q', `${registry.host}/again:${format}`)
        assert.equal(await digest(`${registry.host}/again:${format}`), before)
        await docker('rmi', theirs, `${registry.host}/again:${format}`)
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test('twenty images that share layers: each layer is fetched and kept once', async () => {
    await using registry = await startRegistry()
    const shared = { common: 'c'.repeat(10_000) }
    for (let i = 0; i < 20; i++) await registry.pushImage(`a${i}`, '1', { layers: [shared, { [`own${i}`]: 'x' }] })
    await Promise.all(Array.from({ length: 20 }, (_, i) => docker('pull', '-q', `${registry.host}/a${i}:1`)))
    const ids = (await docker('images', '-q', '--filter', `reference=${registry.host}/*`)).split('\n')
    assert.equal(new Set(ids).size, 20)
    const layers = new Set<string>()
    for (const id of new Set(ids))
      for (const layer of JSON.parse(await docker('inspect', '-f', '{{json .RootFS.Layers}}', id))) layers.add(layer)
    assert.equal(layers.size, 21)
    await docker('rmi', ...Array.from({ length: 20 }, (_, i) => `${registry.host}/a${i}:1`))
  })

  test('an image of 500 layers is pulled, and starts', async () => {
    await using registry = await startRegistry()
    const layers = Array.from({ length: 499 }, (_, i) => ({ [`f${i}`]: String(i) }))
    await registry.pushImage('deep', '1', {
      layers: [busyboxFiles(), ...layers],
      config: { Cmd: ['sh', '-c', 'ls / | grep -c ^f; cat /f498'] },
    })
    await docker('pull', '-q', `${registry.host}/deep:1`)
    assert.equal(await docker('run', '--rm', `${registry.host}/deep:1`), '499\n498')
    await docker('rmi', `${registry.host}/deep:1`)
  })

  describe('beside a Docker Engine', { skip: !peer && 'needs a Docker Engine' }, () => {
    const theirs = async (...args: readonly string[]) => {
      const said = await command(which('docker')!, args, { env: { DOCKER_HOST: peer! }, timeout: 120_000 })
      assert.equal(said.code, 0, said.stderr)
      return said.stdout.trim()
    }

    test('it pulls what we push, and has the same image', async () => {
      await using registry = await startRegistry()
      const name = `${registry.host}/app:1`
      await build(name, 'us')
      await docker('push', name)
      try {
        await theirs('pull', '-q', name)
        assert.equal(await theirs('run', '--rm', name), 'us')
        const format = '{{.Id}} {{json .RootFS.Layers}} {{json .RepoDigests}}'
        assert.equal(await theirs('inspect', '-f', format, name), await docker('inspect', '-f', format, name))
      } finally {
        await theirs('rmi', '-f', name)
        await docker('rmi', name)
      }
    })

    test('the tree of an image is the same: names, types, modes, owners, times, attributes, links, holes', async () => {
      await using registry = await startRegistry()
      const name = await pushAllKinds(registry)
      const list = ['run', '--rm', '--network', 'none', '--entrypoint', '/bin/sh', name, '-c']
      const script =
        'cd /all && find . | sort | while read f; do stat -c "%n|%F|%a|%u|%g|%Y|%h|%t|%T|%s" "$f"; [ -L "$f" ] && readlink "$f"; [ -f "$f" ] && md5sum <"$f"; done; true'
      try {
        await docker('pull', '-q', name)
        await theirs('pull', '-q', name)
        const mine = await docker(...list, script)
        assert.equal(mine, await theirs(...list, script))
        const xattrs = [...list, 'cd /all && find . | sort | /xattrs']
        const ours = await docker(...xattrs)
        assert.equal(ours, await theirs(...xattrs))
        assert.equal(
          ours,
          './hard1 user.colour=00ff0a\n./hard2 user.colour=00ff0a\n./plain user.folder=78\n./setuid security.capability=0100000200040000000000000000000000000000',
        )
        // a Docker Engine fills them
        const [blocks, size] = (await docker(...list, 'stat -c "%b %s" /all/sparse')).split(' ').map(Number)
        assert.ok(blocks! * 512 < size! / 10, `${blocks} blocks hold ${size} bytes`)
        assert.match(mine, /\.\/hard1\|regular file\|644\|7\|8\|1000000000\|2\|/)
        for (const hidden of ['gone', 'opaque/below', 'file-then-folder|regular'])
          assert.ok(!mine.includes(hidden), hidden)
        assert.deepEqual(attributes(await exported(docker, name)), attributes(await exported(theirs, name)))
      } finally {
        await theirs('rmi', '-f', name)
        await docker('rmi', '-f', name)
      }
    })
  })
})

/** The root of a container as a tar, unpacked by GNU tar with all attributes; its folder is removed by `attributes`. */
async function exported(docker: (...args: readonly string[]) => Promise<string>, name: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'tscompose-tree-'))
  const id = await docker('create', name, 'true')
  await docker('cp', '-a', `${id}:/all`, folder)
  await docker('rm', id)
  return folder
}

function attributes(folder: string): readonly string[] {
  try {
    return execFileSync('find', ['all', '-printf', '%p %y %m %U %G %T@ %l\n'], { cwd: folder, encoding: 'utf8' })
      .trim()
      .split('\n')
      .sort()
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Three layers that GNU tar has made, with everything a layer can hold; whiteouts are written as images have them. */
async function pushAllKinds(registry: TestRegistry): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'tscompose-kinds-'))
  try {
    const shell = (script: string) =>
      execFileSync('sh', ['-ec', script], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
    mkdirSync(join(folder, 'one'))
    mkdirSync(join(folder, 'two'))
    shell(`cd one; mkdir -p all/opaque/below all/plain all/sticky all/file-then-folder.d
      cd all; echo x >hard1; chown 7:8 hard1; chmod 644 hard1; ln hard1 hard2; touch -d @1000000000 hard1
      echo y >setuid; chmod 4755 setuid; chmod 1777 sticky; echo z >gone; echo f >file-then-folder; echo b >opaque/below/b
      ln -s /nowhere/at/all dangling; ln -s hard1 link; chown -h 5:6 link; touch -h -d @1234567890 link
      mkfifo -m 600 fifo; mknod -m 620 null c 1 3; mknod -m 640 loop b 7 0
      truncate -s 5000000 sparse; printf end | dd of=sparse bs=1 seek=4000000 conv=notrunc 2>/dev/null
      echo old >old; touch -d @-86400 old; touch -d @4102444800 future; printf '%300s' x >long-$(printf '%0100d' 7)
      chmod 750 plain; chown 65534:65534 plain; touch -d @1111111111.5 plain`)
    setXattr(join(folder, 'one/all/hard1'), 'user.colour', Buffer.from([0, 255, 10]))
    setXattr(join(folder, 'one/all/plain'), 'user.folder', Buffer.from('x'))
    setXattr(
      join(folder, 'one/all/setuid'),
      'security.capability',
      Buffer.from(`01000002${'0004'.padEnd(32, '0')}`, 'hex'),
    )
    writeFileSync(join(folder, 'xattrs.c'), showXattrs)
    shell('mkdir probe; cc -static -o probe/xattrs xattrs.c')
    shell(
      `cd two; mkdir -p all/opaque all/file-then-folder; cd all; : >.wh.gone; : >opaque/.wh..wh..opq; echo n >opaque/new; echo i >file-then-folder/in`,
    )
    const tar = (part: string, name = 'all') =>
      execFileSync('tar', [
        '-c',
        '--sparse',
        '--xattrs',
        '--xattrs-include=*',
        '--numeric-owner',
        '--format=posix',
        '--sort=name',
        '-C',
        join(folder, part),
        name,
      ])
    const base = await tinyParts({ files: busyboxFiles() })
    const layers = [base.layers[0]!, tar('probe', 'xattrs'), tar('one'), tar('two')]
    const config = Buffer.from(
      JSON.stringify({
        ...JSON.parse(base.config.toString()),
        history: [],
        rootfs: { type: 'layers', diff_ids: layers.map(sha256) },
      }),
    )
    const blobs = layers.map(layer => gzipSync(layer))
    for (const blob of [config, ...blobs]) await registry.pushBlob('kinds', blob)
    const manifest = tinyManifest(
      { config, layers: blobs, id: sha256(config) },
      'application/vnd.oci.image.layer.v1.tar+gzip',
    )
    await registry.pushManifest('kinds', '1', manifest)
    return `${registry.host}/kinds:1`
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Prints the extended attributes of the paths it reads, but for those that only the host may see. */
const showXattrs = `
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
int main(void) {
  char path[4096], names[65536];
  unsigned char value[65536];
  while (fgets(path, sizeof path, stdin)) {
    path[strcspn(path, "\\n")] = 0;
    ssize_t length = llistxattr(path, names, sizeof names);
    for (char *name = names; length > 0 && name < names + length; name += strlen(name) + 1) {
      ssize_t size = lgetxattr(path, name, value, sizeof value);
      printf("%s %s=", path, name);
      for (ssize_t i = 0; i < size; i++) printf("%02x", value[i]);
      printf("\\n");
    }
  }
  return 0;
}
`
