/** A probe inside a container measures what it can reach; nowhere weaker than recorded under Docker. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { command } from '../support/command.ts'
import { TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { lacking, program, root, shared, userModeKernel } from '../support/needs.ts'
import { importProbe } from '../support/probe-image.ts'
import { dockersProbe, probeSettings } from '../support/probe-settings.ts'

const probe = shared('security/probe.c')

describe('isolation', {
  skip: probe
    ? lacking(root(), program('busybox'), program('nft'), program('docker'), program('gcc'), program('python3'))
    : 'needs ../shared/security, which is not here',
}, () => {
  let engine: TestEngine
  before(async () => {
    engine = await TestEngine.start()
    await importProbe(engine, probe!)
  })
  after(() => engine.stop())

  const notFirst = 'proc: the program is not pid 1'

  /** Holds what was found against what is recorded under Docker in this setting. */
  async function compare(setting: string, found: string, text: string, ignore: readonly string[] = []): Promise<void> {
    const path = join(engine.folder, `${found}.json`)
    const dockers = join(engine.folder, `docker-${setting}.json`)
    writeFileSync(path, text)
    writeFileSync(dockers, dockersProbe(setting))
    const compared = await command('python3', [
      shared('security/compare.py')!,
      dockers,
      path,
      ...ignore.flatMap(area => ['--ignore', area]),
    ])
    assert.equal(compared.code, 0, compared.stdout)
  }

  for (const [setting, flags] of Object.entries(probeSettings)) {
    test(`is nowhere weaker than Docker's: ${setting}`, async () => {
      const said = await engine.docker(['run', '--rm', ...flags, 'secprobe:latest'], { timeout: 120_000 })
      assert.ok(said.stdout.length > 1000, `the probe said nothing: ${said.stderr}\n${engine.log}`)
      await compare(setting, setting, said.stdout)
    })
  }

  test('is nowhere weaker than Docker in a further process, and a privileged one keeps the filter', async () => {
    await engine.docker(['run', '-d', '--name', 'host', 'secprobe:latest', 'sleep', '1000'])
    const plain = await engine.docker(['exec', 'host', '/probe'], { timeout: 120_000 })
    // it is not process 1
    await compare('default', 'exec', plain.stdout, [notFirst])
    const privileged = await engine.docker(['exec', '--privileged', 'host', '/probe'], { timeout: 120_000 })
    const [own, raised] = [plain, privileged].map(({ stdout }) => JSON.parse(stdout))
    assert.deepEqual(raised.seccomp, own.seccomp)
    const tables = Object.keys(own.syscalls ?? {})
    assert.equal(tables.length > 0, !userModeKernel())
    for (const table of tables)
      assert.deepEqual(raised.syscalls[table], own.syscalls[table], `the filter differs: ${table}`)
    assert.ok(raised.caps.effective.includes('SYS_ADMIN'))
  })

  test('is nowhere weaker than Docker in a health check', async () => {
    // once, so that what is found is not written again while it is read
    const once = '[ -e /tmp/found ] || { /probe > /tmp/part && busybox mv /tmp/part /tmp/found; }'
    const check = ['--health-cmd', once, '--health-interval', '1s', '--health-timeout', '60s']
    await engine.docker(['run', '-d', '--name', 'checked', ...check, 'secprobe:latest', 'sleep', '1000'])
    const status = ['inspect', '--format', '{{.State.Health.Status}}', 'checked']
    const healthy = async () => (await engine.docker(status)).stdout.trim() === 'healthy'
    await eventually('the first health check', healthy, 60_000)
    const { stdout } = await engine.docker(['exec', 'checked', 'cat', '/tmp/found'])
    // the shell before it sets variables and what it ignores
    await compare('default', 'health', stdout, [notFirst, 'env: .*: PWD SHLVL$', 'signals: SigIgn=0+4 '])
  })

  test('leaves an init no rights of its own beside a user', async () => {
    const status = async (...flags: string[]) => {
      const run = ['run', '--rm', '--init', ...flags, 'secprobe:latest', 'cat', '/proc/1/status']
      return (await engine.docker(run)).stdout.match(/^Cap(?:Inh|Prm|Eff|Amb):\t\w+$/gm)
    }
    const none = ['CapInh', 'CapPrm', 'CapEff', 'CapAmb'].map(name => `${name}:\t0000000000000000`)
    assert.deepEqual(await status('--user', '1000'), none)
    // to pass signals on to processes of another user
    const kill = '0000000000000020'
    assert.deepEqual(await status(), [none[0], `CapPrm:\t${kill}`, `CapEff:\t${kill}`, none[3]])
  })

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
