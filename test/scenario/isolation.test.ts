/** A probe inside a container measures what it can reach; nowhere weaker than recorded under Docker. */
import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { command } from '../support/command.ts'
import { TestEngine } from '../support/engine.ts'
import { lacking, program, root, shared, which } from '../support/needs.ts'

const probe = shared('security/probe.c')

describe('isolation', {
  skip: probe
    ? lacking(root(), program('busybox'), program('nft'), program('docker'), program('gcc'), program('python3'))
    : 'needs ../shared/security, which is not here',
}, () => {
  let engine: TestEngine
  before(async () => {
    engine = await TestEngine.start()
    const tree = join(engine.folder, 'probe-root')
    mkdirSync(join(tree, 'bin'), { recursive: true })
    mkdirSync(join(tree, 'etc'))
    mkdirSync(join(tree, 'tmp'), { mode: 0o1777 })
    copyFileSync(which('busybox')!, join(tree, 'bin/busybox'))
    for (const name of ['sh', 'ls', 'cat']) copyFileSync(which('busybox')!, join(tree, 'bin', name))
    writeFileSync(join(tree, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n')
    writeFileSync(join(tree, 'etc/group'), 'root:x:0:\n')
    const built = await command('gcc', ['-static', '-O1', '-o', join(tree, 'probe'), probe!])
    assert.equal(built.code, 0, built.stderr)
    const archive = join(engine.folder, 'probe.tar')
    await command('tar', ['-C', tree, '-cf', archive, '.'])
    const imported = await engine.docker(['import', '-c', 'CMD ["/probe"]', archive, 'secprobe:latest'])
    assert.equal(imported.code, 0, imported.stderr)
  })
  after(() => engine.stop())

  const settings: Readonly<Record<string, readonly string[]>> = {
    default: [],
    'cap-drop-all': ['--cap-drop', 'ALL'],
    'user-1000': ['--user', '1000'],
    'read-only': ['--read-only'],
    'no-new-privileges': ['--security-opt', 'no-new-privileges'],
    'network-none': ['--network', 'none'],
  }

  for (const [setting, flags] of Object.entries(settings)) {
    test(`is nowhere weaker than Docker's: ${setting}`, async () => {
      const said = await engine.docker(['run', '--rm', ...flags, 'secprobe:latest'], { timeout: 120_000 })
      assert.ok(said.stdout.length > 1000, `the probe said nothing: ${said.stderr}\n${engine.log}`)
      const found = join(engine.folder, `${setting}.json`)
      writeFileSync(found, said.stdout)
      const compared = await command('python3', [
        shared('security/compare.py')!,
        shared(`security/expected/docker-${setting}.json`)!,
        found,
      ])
      assert.equal(compared.code, 0, compared.stdout)
    })
  }

  test('the recorded runs differ where they should, so that the comparison can fail', async () => {
    const compared = await command('python3', [
      shared('security/compare.py')!,
      shared('security/expected/docker-default.json')!,
      shared('security/expected/docker-privileged.json')!,
    ])
    assert.equal(compared.code, 1)
    assert.ok(readFileSync(shared('security/expected/docker-default.json')!).length > 1000)
  })
})
