/** Two checkouts of one stack on one machine. */
import assert from 'node:assert/strict'
import { renameSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { onBothEngines } from '../support/both-engines.ts'
import { command } from '../support/command.ts'
import { jsonLines } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { freePort } from '../support/free-port.ts'

const base = `trees${process.pid}`
const isolated = `${base}-feature-x`
const port = await freePort(2)

await onBothEngines('two git worktrees of an unmodified stack', [base, isolated], ground => {
  const yaml = () => `name: ${base}
services:
  web:
    image: ${ground().image}
    container_name: ${base}-the-web
    command: sh -c 'while true; do nc -l -p 80 -e cat /data/who; done'
    stop_signal: SIGKILL
    ports: ["${port}:80"]
    volumes: ["data:/data"]
    depends_on: {db: {condition: service_healthy}}
    networks: [back]
  db:
    image: ${ground().image}
    container_name: ${base}-the-db
    command: sleep infinity
    stop_signal: SIGKILL
    healthcheck: {test: "true", interval: 1s, start_interval: 100ms, start_period: 5s}
    volumes: ["rows:/rows"]
    networks: [back]
volumes:
  data: {}
  rows: {name: ${base}-rows}
networks:
  back: {name: ${base}-back, ipam: {config: [{subnet: 10.213.${process.pid % 250}.0/24}]}}
`
  const git = async (...args: readonly string[]) => {
    const identity = ['-c', 'user.name=test', '-c', 'user.email=test@localhost']
    const said = await command('git', [...identity, ...args], { cwd: join(ground().folder, 'main') })
    assert.equal(said.code, 0, said.stderr)
  }
  /** What the web of a checkout answers on the host. */
  const answer = (at: number) =>
    eventually(
      `an answer on port ${at}`,
      () =>
        new Promise<string>((resolve, reject) => {
          const socket = createConnection(at, '127.0.0.1')
          let text = ''
          socket.setEncoding('utf8')
          socket.on('data', data => (text += data))
          socket.on('error', reject)
          socket.on('close', () => resolve(text.trim()))
        }),
    )
  const names = async (cwd: string) =>
    jsonLines(await ground().run(cwd, 'ps', '-a', '--format', 'json'))
      .map(each => each.Name)
      .sort()

  test('up in the second is refused, with both folders and the two ways out', async () => {
    const { write, run, attempt, folder } = ground()
    write('main/compose.yaml', yaml())
    await git('init', '-q')
    await git('add', '.')
    await git('commit', '-q', '-m', 'stack')
    await git('worktree', 'add', '-q', '../feature-x')
    await run('main', 'up', '-d')
    await run('main', 'snapshot', 'create', 'good')
    await run(
      'main',
      'exec',
      '-T',
      'web',
      'sh',
      '-c',
      'echo main > /data/who; echo main > /rows/who 2> /dev/null; true',
    )
    const before = await names('main')
    for (const words of [
      ['up', '-d'],
      ['plan'],
      ['run', '--rm', 'web', 'true'],
      ['down'],
      ['stop'],
      ['kill'],
      ['scale', 'web=2'],
      ['rollback', '1'],
      ['snapshot', 'restore', '-y', 'good'],
    ]) {
      const refused = await attempt('feature-x', ...words)
      assert.equal(refused.code, 1, words.join(' '))
      assert.ok(refused.stderr.includes(`it belongs to "${join(folder, 'main')}"`), refused.stderr)
      assert.ok(refused.stderr.includes(`this is "${join(folder, 'feature-x')}"`), refused.stderr)
      assert.match(refused.stderr, /--adopt/)
    }
    assert.match((await attempt('feature-x', 'up', '-d')).stderr, /--isolated/)
    assert.deepEqual(await names('main'), before)
    await run('main', 'snapshot', 'rm', 'good')
  })

  test('up --isolated runs the second beside it, on a free port', async () => {
    const { run, attempt } = ground()
    const up = await attempt('feature-x', 'up', '-d', '--isolated')
    assert.equal(up.code, 0, up.stderr)
    assert.match(up.stderr, new RegExp(`Service web: host port ${port}/tcp is taken, it is published on ${port + 1}`))
    assert.match(up.stderr, /Network back: its subnet and fixed addresses are left to the engine/)
    assert.deepEqual(await names('feature-x'), [`${base}-the-db-feature-x`, `${base}-the-web-feature-x`])
    assert.deepEqual(await names('main'), [`${base}-the-db`, `${base}-the-web`])
    await run('feature-x', 'exec', '-T', 'web', 'sh', '-c', 'echo feature > /data/who')
    assert.equal(await answer(port), 'main')
    assert.equal(await answer(port + 1), 'feature')
    assert.equal(await run('feature-x', 'url', 'web'), `http://localhost:${port + 1}\n`)
    assert.equal(await run('main', 'url', 'web'), `http://localhost:${port}\n`)
  })

  test('neither resolves the other, though both know their database by the same names', async () => {
    const { run, attempt } = ground()
    const address = async (cwd: string, service: string) =>
      /inet (?:addr:)?([\d.]+)/.exec(await run(cwd, 'exec', '-T', service, 'ip', 'addr', 'show', 'eth0'))?.[1]
    const own = { main: await address('main', 'db'), 'feature-x': await address('feature-x', 'db') }
    assert.notEqual(own.main, own['feature-x'])
    for (const [cwd, expected] of Object.entries(own))
      for (const name of ['db', `${base}-the-db`]) {
        const found = await run(cwd, 'exec', '-T', 'web', 'ping', '-c', '1', '-w', '5', name)
        assert.match(found, new RegExp(`\\(${expected!.replaceAll('.', '\\.')}\\)`), `${name} in ${cwd}`)
      }
    const other = await attempt('main', 'exec', '-T', 'web', 'ping', '-c', '1', '-w', '2', `${base}-the-db-feature-x`)
    assert.notEqual(other.code, 0)
  })

  test('a second up changes nothing, and all other commands find it without a word', async () => {
    const { run, attempt } = ground()
    const again = await attempt('feature-x', 'up', '-d')
    assert.equal(again.code, 0, again.stderr)
    assert.match(await run('feature-x', 'plan'), /no changes/)
    await run('feature-x', 'restart', 'web')
    assert.equal((await run('feature-x', 'history', '-q')).trim(), '1')
    await run('feature-x', 'down', '-v')
    assert.deepEqual(await names('feature-x'), [])
    assert.equal((await names('main')).length, 2)
    assert.equal(await answer(port), 'main')
  })

  test('TSCOMPOSE_ISOLATED=worktree makes it so in worktrees, and only there', async () => {
    const { run, env, write } = ground()
    env['TSCOMPOSE_ISOLATED'] = 'worktree'
    await git('worktree', 'add', '-q', '../feature-y')
    try {
      await run('feature-y', 'up', '-d')
      assert.deepEqual(await names('feature-y'), [`${base}-the-db-feature-y`, `${base}-the-web-feature-y`])
      assert.match(await run('main', 'plan'), /no changes/)
    } finally {
      await run('feature-y', 'down', '-v')
      delete env['TSCOMPOSE_ISOLATED']
    }
    // a checkout may say it of itself
    write('feature-z/compose.yaml', yaml())
    write('feature-z/.env', 'TSCOMPOSE_ISOLATED=always\n')
    assert.match(
      JSON.parse(await run('feature-z', 'config', '--format', 'json')).name,
      new RegExp(`^${base}-[0-9a-f]{4}$`),
    )
  })

  test('a moved folder takes its stack over with --adopt, and nothing is made anew', async () => {
    const { run, attempt, folder } = ground()
    const ids = async (cwd: string) => (await run(cwd, 'ps', '-q')).split('\n').sort()
    const before = await ids('main')
    renameSync(join(folder, 'main'), join(folder, 'moved'))
    assert.equal((await attempt('moved', 'up', '-d')).code, 1)
    await run('moved', 'up', '-d', '--adopt')
    assert.deepEqual(await ids('moved'), before)
    assert.match(await run('moved', 'plan'), /no changes/)
    await run('moved', 'down', '-v')
  })

  test('in one that uses the network of the host is told that ports are not moved, with the place', async () => {
    const { write, attempt, image } = ground()
    write('hosts/compose.yaml', `services:\n  agent: {image: ${image}, network_mode: host}\n`)
    const { code, stderr } = await attempt('hosts', 'plan', '--isolated')
    assert.equal(code, 0, stderr)
    assert.match(stderr, /^warning compose\.yaml:2:\d+ services\.agent\.network_mode$/m)
    assert.match(stderr, /Ports that it listens on are those of the host, and are not moved/)
  })
})
