/** Devices that vendors' files describe, in a stack: by name, and as GPUs. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { TestEngine } from '../support/engine.ts'
import { lacking, program, root } from '../support/needs.ts'

describe('devices by specifications', { skip: lacking(root(), program('busybox'), program('nft')) }, () => {
  let engine: TestEngine
  before(async () => {
    engine = await TestEngine.start(['busybox'], {
      config: folder => {
        const cdi = join(folder, 'cdi')
        mkdirSync(cdi)
        writeFileSync(join(cdi, 'driver.txt'), 'the driver\n')
        const card = (n: number) => ({
          name: String(n),
          containerEdits: {
            env: [`CARD=${n}`],
            deviceNodes: [{ path: `/dev/card${n}`, type: 'c', major: 240, minor: n, permissions: 'r' }],
          },
        })
        const specification = {
          cdiVersion: '0.6.0',
          kind: 'nvidia.com/gpu',
          devices: [card(0), card(1)],
          containerEdits: {
            env: ['DRIVER=5', 'MINE=theirs'],
            mounts: [
              { hostPath: join(cdi, 'driver.txt'), containerPath: '/opt/driver/version', options: ['ro', 'bind'] },
            ],
            hooks: [{ hookName: 'createContainer', path: '/usr/bin/ctk', args: ['ctk', 'update-ldcache'] }],
            additionalGids: [4321],
          },
        }
        writeFileSync(join(cdi, 'gpu.json'), JSON.stringify(specification))
        return { 'cdi-spec-dirs': [cdi] }
      },
    })
  })
  after(() => engine.stop())

  const script =
    'echo $$DRIVER $$CARD $$MINE; ls /dev | grep card; cat /dev/card0 2>&1; (echo > /dev/card0) 2>&1; cat /opt/driver/version; (echo > /opt/driver/version) 2>&1; id -G'

  async function run(service: string) {
    const folder = mkdtempSync(join(engine.folder, 'stack-'))
    writeFileSync(
      join(folder, 'compose.yaml'),
      `name: devices\nservices:\n  a:\n    image: busybox\n    network_mode: none\n    environment: { MINE: mine }\n    command: [sh, -c, '${script}']\n${service}`,
    )
    const up = await engine.tscompose(['up'], { cwd: folder })
    const again = await engine.tscompose(['up', '--dry-run', '-d'], { cwd: folder })
    await engine.tscompose(['down', '-t', '0'], { cwd: folder })
    return { ...up, again: again.stderr + again.stdout }
  }

  test('a named device brings its nodes, variables, mounts and groups, and the log says which hooks are not run', async () => {
    const { code, stdout, stderr, again } = await run('    devices: [nvidia.com/gpu=0]\n')
    assert.equal(code, 0, stderr)
    const said = stdout.replaceAll(/^a-1 +\| /gm, '')
    // no driver has that number, which shows once the access rules let one through
    assert.match(
      said,
      /^5 0 theirs\ncard0\n.*\/dev\/card0.*: No such device or address\n.*\/dev\/card0: Operation not permitted\nthe driver\n.*Read-only file system\n0 .*4321/m,
    )
    assert.doesNotMatch(again, /[Rr]ecreate/)
    assert.match(
      engine.log,
      /container devices-a-1: not done: createContainer hook "\/usr\/bin\/ctk update-ldcache" of nvidia\.com\/gpu/,
    )
  })

  test('gpus are those that a specification describes', async () => {
    const { code, stdout, stderr } = await run('    gpus: all\n')
    assert.equal(code, 0, stderr)
    assert.match(stdout, /card0\n.*card1\n/)
    const one = await run(
      '    deploy: { resources: { reservations: { devices: [{ capabilities: [gpu], device_ids: ["1"] }] } } }\n',
    )
    assert.match(one.stdout, /5 1 theirs\n.*card1\n/)
    assert.doesNotMatch(one.stdout, /\| card0\n/)
  })

  test('one that nobody describes is an error of the start, in the words of a Docker Engine', async () => {
    const { code, stderr } = await run('    devices: [vendor.com/card=x]\n')
    assert.notEqual(code, 0)
    assert.match(stderr, /CDI device injection failed: unresolvable CDI devices vendor\.com\/card=x/)
  })
})
