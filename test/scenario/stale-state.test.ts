/** A container whose last start no disk has taken: the engine finds its process and gives it the network that its state tells of. */
import assert from 'node:assert/strict'
import { copyFileSync, rmSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { Paths } from '../../src/engine/base/paths.ts'
import { TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { lacking, program, root } from '../support/needs.ts'
import { ownEngine } from '../support/other-engine.ts'
import { patience } from '../support/patience.ts'

const needs = lacking(
  root(),
  program('busybox'),
  program('nft'),
  program('docker'),
  ownEngine('what it has on disk is put back'),
)

describe('a state of an earlier run', { skip: needs, timeout: 120_000 * patience }, () => {
  let engine: TestEngine
  before(async () => {
    engine = await TestEngine.start()
  })
  after(() => engine.stop())

  const docker = async (...args: string[]): Promise<string> => {
    const said = await engine.docker(args)
    assert.equal(said.code, 0, `docker ${args.join(' ')}: ${said.stderr}\n${engine.log}`)
    return said.stdout.trim()
  }

  test('leads to the process that runs, which is reached by exec, by its address and by its port', async () => {
    const serve = 'mkdir /www; echo hello >/www/index.html; httpd -h /www; exec sleep infinity'
    await docker('network', 'create', 'net')
    const id = await docker(
      'run',
      '-d',
      '--name',
      'web',
      '--network',
      'net',
      '-p',
      '127.0.0.1::80',
      'busybox',
      'sh',
      '-c',
      serve,
    )
    const path = new Paths(engine.roots).containerState(id)
    copyFileSync(path, `${path}.before`)
    const first = await docker('inspect', '-f', '{{.State.Pid}}', 'web')
    await docker('stop', '-t', '0', 'web')
    await docker('start', 'web')
    const second = await docker('inspect', '-f', '{{.State.Pid}}', 'web')
    assert.notEqual(second, first)
    await engine.halt('SIGKILL')
    copyFileSync(`${path}.before`, path)
    rmSync(`${path}.before`)
    await engine.boot()
    assert.equal(await docker('inspect', '-f', '{{.State.Pid}}', 'web'), second)
    assert.match(engine.log, /The last start of "web" is not in its state/)
    assert.doesNotMatch(engine.log, /Cannot mend/)
    const address = await docker('inspect', '-f', '{{.NetworkSettings.Networks.net.IPAddress}}', 'web')
    assert.match(await docker('exec', 'web', 'ip', '-o', 'addr', 'show', 'eth0'), new RegExp(`inet ${address}/`))
    const place = (await docker('port', 'web', '80')).split('\n')[0]
    await eventually('an answer by its port', async () => {
      const answer = await fetch(`http://${place}/`, { signal: AbortSignal.timeout(1000 * patience) }).catch(
        () => undefined,
      )
      return (await answer?.text()) === 'hello\n'
    })
  })
})
