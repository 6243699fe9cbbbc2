/** What up changes on a container as it is, on our engine: the same process goes on, and the kernel has the new limits. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Stack } from '../support/engine.ts'
import { TestEngine } from '../support/engine.ts'
import { lacking, program, root } from '../support/needs.ts'

const sleeper = 'image: busybox, command: sleep infinity, stop_signal: SIGKILL'

describe('up in place', { skip: lacking(root(), program('busybox'), program('nft')) }, () => {
  let engine: TestEngine
  before(async () => {
    engine = await TestEngine.start()
  })
  after(() => engine.stop())

  async function inspect(stack: Stack, service: string) {
    const [found] = (await stack.ps()).filter(each => each.Service === service)
    const said = await engine.docker(['inspect', String(found!.ID)])
    const [{ Id, State, HostConfig, NetworkSettings }] = JSON.parse(said.stdout)
    return { id: Id as string, pid: State.Pid as number, host: HostConfig, networks: NetworkSettings.Networks }
  }

  test('limits, restart policy, networks and aliases', async () => {
    const yaml = (web: string) =>
      `services:\n  web: {${sleeper}, ${web}}\n  db: {${sleeper}, networks: [default, back]}\nnetworks: {default: {}, back: {}}\n`
    const stack = engine.stack(yaml('mem_limit: 64m, pids_limit: 20, cpus: 0.5'))
    await stack.run('up', '-d')
    const was = await inspect(stack, 'web')
    stack.write(
      yaml(
        'mem_limit: 96m, pids_limit: 40, cpus: 0.75, cpu_shares: 512, restart: always, networks: {default: {aliases: [other]}, back: {}}',
      ),
    )
    assert.equal(
      await stack.run('plan'),
      '~ web: in place  mem_limit 64m→96m · cpus 0.5→0.75 · cpu_shares +512 · pids_limit 20→40 · restart +always · ' +
        'networks.back +connected · networks.default.aliases +other\n1 in place\n',
    )
    await stack.run('up', '-d')
    const now = await inspect(stack, 'web')
    assert.deepEqual([now.id, now.pid], [was.id, was.pid])
    const { Memory, PidsLimit, NanoCpus, CpuShares, RestartPolicy } = now.host
    assert.deepEqual(
      [Memory, PidsLimit, NanoCpus, CpuShares, RestartPolicy.Name],
      [96 * 1024 ** 2, 40, 0.75e9, 512, 'always'],
    )
    assert.deepEqual(Object.keys(now.networks).length, 2)
    const ping = await stack.try('exec', '-T', 'db', 'nslookup', 'other')
    assert.equal(ping.code, 0, ping.stdout + ping.stderr)
    assert.equal(await stack.run('plan'), 'no changes\n')
    await stack.run('down')
  })

  test('edits by hand are found and put back', async () => {
    const stack = engine.stack(
      `services:\n  web: {${sleeper}, mem_limit: 64m, networks: [default, back]}\nnetworks: {default: {}, back: {}}\n`,
    )
    await stack.run('up', '-d')
    const was = await inspect(stack, 'web')
    await engine.docker(['update', '--memory', '256m', '--memory-swap', '512m', '--restart', 'always', was.id])
    const back = Object.keys(was.networks).find(name => name.endsWith('_back'))!
    await engine.docker(['network', 'disconnect', back, was.id])
    assert.equal(
      await stack.run('plan'),
      '~ web: in place  mem_limit 256m→64m · restart -always · networks.back +connected\n1 in place\n',
    )
    await stack.run('up', '-d')
    const now = await inspect(stack, 'web')
    assert.deepEqual([now.id, now.pid], [was.id, was.pid])
    assert.deepEqual(
      [now.host.Memory, now.host.MemorySwap, now.host.RestartPolicy.Name],
      [64 * 1024 ** 2, 128 * 1024 ** 2, 'no'],
    )
    assert.ok(now.networks[back])
    assert.equal(await stack.run('plan'), 'no changes\n')
    await stack.run('down')
  })
})
