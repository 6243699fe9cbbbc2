/** A service with a fixed published port is updated while it is asked 300 times a second: nobody is refused, nothing is cut off. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { command } from '../support/command.ts'
import { compiled } from '../support/compiled.ts'
import { launcher, type Stack, TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { freePort } from '../support/free-port.ts'
import { type Asker, asking, type Load, loadClientSource } from '../support/load-client.ts'
import { lacking, program, root, which } from '../support/needs.ts'
import { ownEngine } from '../support/other-engine.ts'
import { patience } from '../support/patience.ts'
import { tinyImageTar } from '../support/tiny-image.ts'
import { hasWrk, wrk } from '../support/wrk.ts'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const updates = 20
/** Seconds in which a container that ends may answer what it has taken. */
const grace = 2 * patience
/** Of this run alone. */
const six = (process.pid & 0xffff).toString(16)

const yaml = (tag: string, port: number): string => `services:
  web:
    image: server
    environment: {TAG: "${tag}", DELAY: "5"}
    ports: ["${port}:80"]
    stop_grace_period: ${grace}s
    healthcheck: {test: [CMD, /bin/busybox, sh, -c, 'test $$TAG != ill && /bin/busybox wget -q -O - http://127.0.0.1:80'], interval: 100ms, retries: 3}
    deploy: {update_config: {failure_action: rollback, monitor: 100ms}}
networks:
  default: {enable_ipv6: true, ipam: {config: [{subnet: "fd5c:${six}::/64", gateway: "fd5c:${six}::1"}]}}
`

describe('an update under load', {
  skip: lacking(
    root(),
    program('busybox'),
    program('nft'),
    program('gcc'),
    program('script'),
    ownEngine('a Docker Engine passes no port from one container to another'),
  ),
  timeout: 400_000 * patience,
}, () => {
  let engine: TestEngine
  let stack: Stack
  let port = 0
  const folder = mkdtempSync(join(tmpdir(), 'tsc-load-'))
  const askers = new Set<Asker>()
  let loadClient: string

  before(async () => {
    engine = await TestEngine.start([])
    const server = await compiled(folder, here('../support/http-server.c'))
    loadClient = await compiled(folder, loadClientSource)
    const executable = (path: string) => ({ content: readFileSync(path), mode: 0o755 })
    const archive = await tinyImageTar({
      tag: 'server:latest',
      files: { 'bin/': '', 'bin/busybox': executable(which('busybox')!), 'http-server': executable(server) },
      config: { Entrypoint: ['/http-server', '80'] },
    })
    const loaded = await command(launcher, ['image', 'load'], { input: archive, env: engine.env })
    assert.equal(loaded.code, 0, loaded.stderr)
    port = await freePort()
    stack = engine.stack(yaml('0', port))
    await stack.run('up', '-d', '--wait')
  })
  after(async () => {
    for (const { process } of askers) process.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
    await engine.stop()
  })

  function ask(host: string, mode: 'short' | 'kept', rate: number): Asker {
    const asker = asking(loadClient, [host, String(port), String(rate), mode])
    askers.add(asker)
    return asker
  }

  /**
   * Runs `work` under 300 requests a second (fewer where everything takes longer: it is no test of how many a machine bears), by short connections
   * and by kept ones, and shows what came of them. It begins when each of those who ask has had an answer; `answered` waits for each to have had
   * this one.
   */
  async function underLoad(
    t: { diagnostic(text: string): void },
    work: (answered: (body: string) => Promise<unknown>) => Promise<void>,
  ): Promise<readonly Load[]> {
    // the host's own address on the network is one that the rules lead on; ::1 is none, and relayed by the engine
    const kinds: readonly Parameters<typeof ask>[] = [
      ['127.0.0.1', 'short', 100 / patience],
      ['127.0.0.1', 'kept', 100 / patience],
      [`fd5c:${six}::1`, 'short', 80 / patience],
      ['::1', 'short', 20 / patience],
    ]
    const all = kinds.map(kind => ask(...kind))
    const answered = (body: string) => Promise.all(all.map(asker => asker.answered(new RegExp(`^${body}$`))))
    await answered(await serving())
    const began = Date.now()
    await work(answered)
    const results = await Promise.all(all.map(asker => asker.end()))
    t.diagnostic(`${((Date.now() - began) / 1000).toFixed(1)} s`)
    for (const [i, { answers, ...figures }] of results.entries())
      t.diagnostic(`${kinds[i]!.join(' ')}/s: ${JSON.stringify(figures)}, ${Object.keys(answers).length} versions`)
    for (const { sent, answered, errors } of results) {
      assert.deepEqual(errors, {})
      assert.equal(answered, sent)
    }
    return results
  }

  const serving = async () => (await command('busybox', ['wget', '-q', '-O', '-', `http://127.0.0.1:${port}/`])).stdout

  test(`${updates} updates: no error, nobody refused`, async t => {
    const results = await underLoad(t, async answered => {
      for (let version = 1; version <= updates; version++) {
        stack.write(yaml(String(version), port))
        await stack.run('up', '-d')
        assert.equal(await serving(), String(version))
        // on a busy machine an update may be over before all have asked again
        await answered(String(version))
      }
    })
    for (const { answers } of results) assert.equal(Object.keys(answers).length, updates + 1)
  })

  test('wrk meets no error in 5 updates', { skip: !hasWrk && 'needs wrk, which .ci/setup gets' }, async t => {
    const before = updates
    const update = async () => {
      for (let version = before - 5; version <= before; version++) {
        stack.write(yaml(String(version), port))
        await stack.run('up', '-d')
      }
    }
    const updated = update()
    const [{ stdout, code }] = await Promise.all([
      wrk(['-t1', '-c4', '-d100s', '--timeout', `${2 * patience}s`, `http://127.0.0.1:${port}/`], { until: updated }),
      updated,
    ])
    t.diagnostic(stdout.trim().split('\n').slice(-4).join(' | '))
    assert.equal(code, 0, stdout)
    assert.doesNotMatch(stdout, /Socket errors|Non-2xx/)
  })

  test('an engine that is killed in the middle leaves the port where it was led, and the next up goes on', async () => {
    const held = connect(port, '127.0.0.1')
    await once(held, 'connect')
    stack.write(yaml('killed', port).replace(`stop_grace_period: ${grace}s`, 'stop_grace_period: 60s'))
    // the one that is there has a short grace: it is told another
    const up = stack.try('up', '-d', '-t', '60')
    await eventually('the port to pass', async () => (await serving()) === 'killed')
    await engine.halt('SIGKILL')
    assert.equal(await serving(), 'killed')
    assert.equal((await up).code, 1)
    await engine.boot()
    assert.equal(await serving(), 'killed')
    held.destroy()
    const next = stack.try('up', '-d')
    assert.equal(await serving(), 'killed')
    assert.equal((await next).code, 0, (await next).stderr)
    assert.equal((await stack.ps()).length, 1)
    assert.equal(await serving(), 'killed')
    stack.write(yaml(String(updates), port))
    await stack.run('up', '-d')
  })

  test('a version that is never healthy goes back by itself: no error', async t => {
    const before = (await stack.ps()).map(({ ID }) => ID)
    const results = await underLoad(t, async () => {
      stack.write(yaml('ill', port))
      const { code, stderr } = await stack.try('up', '-d')
      assert.equal(code, 1)
      assert.match(stderr, /web-1 is unhealthy.*; it goes back to what it was/)
    })
    for (const { answers } of results) assert.deepEqual(Object.keys(answers), [String(updates)])
    assert.deepEqual(
      (await stack.ps()).map(({ ID }) => ID),
      before,
    )
  })

  test('goes on when the terminal is closed in the middle: no error', async t => {
    await underLoad(t, async () => {
      stack.write(yaml('closed', port))
      const terminal = spawn('script', ['-qec', `exec ${launcher} up -d`, '/dev/null'], {
        cwd: stack.folder,
        env: { ...process.env, ...engine.env },
        stdio: 'pipe',
      })
      const closed = once(terminal, 'exit')
      await eventually('the new container', async () => (await stack.ps()).length === 2)
      terminal.kill('SIGKILL')
      await closed
      await eventually('the new version', async () => (await serving()) === 'closed')
      await eventually('the old one to go', async () => (await stack.ps()).length === 1)
    })
    assert.match(await stack.run('plan'), /no changes/)
  })
})
