import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { after, describe, test } from 'node:test'
import { parseDetachKeys } from '../../src/lib/detach-keys.ts'
import { each, fakeClient, summary, tscompose } from './fake-client.ts'

const folder = mkdtempSync(join(tmpdir(), 'tscompose-looking-'))
after(() => rmSync(folder, { recursive: true }))

const mount = {
  Type: 'volume',
  Name: 'shop_data',
  Source: '/s',
  Destination: '/d',
  Mode: '',
  RW: true,
  Propagation: '',
}
const web = summary('web', 1, { Mounts: [mount] })
const db = summary('db', 1)
const lists = {
  containerList: () => [web, db],
  volumeList: () => ({
    Volumes: ['shop_old', 'shop_data'].map(Name => ({
      Name,
      Driver: 'local',
      Labels: { 'com.docker.compose.project': 'shop' },
      Mountpoint: `/v/${Name}`,
      Options: null,
      Scope: 'local',
    })),
    Warnings: null,
  }),
}

const shop = (...argv: string[]) => ['-p', 'shop', ...argv]

describe('volumes', () => {
  const run = async (...argv: string[]) =>
    (await tscompose(shop('volumes', ...argv), { client: fakeClient(lists) })).stdout

  test('lists those of the project, by name', async () => {
    assert.equal(await run(), 'DRIVER    VOLUME NAME\nlocal     shop_data\nlocal     shop_old\n')
    assert.equal(await run('-q'), 'shop_data\nshop_old\n')
  })

  test('SERVICE lists what its containers have mounted', async () => {
    assert.equal(await run('-q', 'web'), 'shop_data\n')
    assert.equal(await run('-q', 'db'), '')
  })

  test('--format json and templates know the members of Compose', async () => {
    const first = (await run('--format', 'json')).split('\n')[0]!
    assert.deepEqual(Object.keys(JSON.parse(first)), [
      'Availability',
      'Driver',
      'Group',
      'Labels',
      'Links',
      'Mountpoint',
      'Name',
      'Scope',
      'Size',
      'Status',
    ])
    assert.equal(
      await run('--format', 'table {{.Name}}\\t{{.Label "com.docker.compose.project"}}'),
      'VOLUME NAME   project\nshop_data     shop\nshop_old      shop\n',
    )
  })
})

describe('stats', () => {
  const reading = {
    cpu_stats: { cpu_usage: { total_usage: 2 }, system_cpu_usage: 200, online_cpus: 1 },
    precpu_stats: { cpu_usage: { total_usage: 1 }, system_cpu_usage: 100 },
    memory_stats: { usage: 1024, limit: 2048 },
    blkio_stats: {},
    pids_stats: { current: 1 },
  }

  test('--no-stream reads each container once', async () => {
    const client = fakeClient({ ...lists, containerStats: () => each(reading) })
    const { code, stdout } = await tscompose(shop('stats', '--no-stream'), { client })
    assert.equal(code, 0)
    assert.deepEqual(stdout.trimEnd().split('\n'), [
      'CONTAINER ID   NAME         CPU %     MEM USAGE / LIMIT   MEM %     NET I/O   BLOCK I/O   PIDS',
      'db1000000000   shop-db-1    1.00%     1KiB / 2KiB         50.00%    0B / 0B   0B / 0B     1',
      'web100000000   shop-web-1   1.00%     1KiB / 2KiB         50.00%    0B / 0B   0B / 0B     1',
    ])
    const queries = client.asked.filter(({ name }) => name === 'containerStats').map(({ input }) => input['query'])
    assert.deepEqual(queries, [{ stream: false }, { stream: false }])
  })

  test('takes one service at most, and one that nobody knows for nothing', async () => {
    assert.match((await tscompose(shop('stats', 'a', 'b'))).stderr, /accepts at most 1 arg\(s\), received 2/)
    const { code, stdout } = await tscompose(shop('stats', '--no-stream', 'nope'), { client: fakeClient(lists) })
    assert.deepEqual([code, stdout.startsWith('CONTAINER ID   NAME')], [0, true])
  })

  test('goes on with each reading until it is interrupted', async () => {
    const readings = { ...lists, containerStats: () => each(reading), events: () => each() }
    const { code, stdout } = await tscompose(shop('stats', '--format', '{{.Name}}'), { client: fakeClient(readings) })
    assert.deepEqual([code, stdout], [130, ''])
  })
})

describe('attach', () => {
  function engine(more: object = {}) {
    return fakeClient({
      ...lists,
      containerInspect: () => ({ Config: { Tty: false, OpenStdin: true } }),
      containerWait: () => each({ StatusCode: 5 }),
      containerAttach: () => ({
        tty: false,
        socket: new PassThrough(),
        output: each({ stream: 'stdout', data: Buffer.from('bye\n') }),
      }),
      ...more,
    })
  }

  test('shows the output and ends with the exit code of the container', async () => {
    const client = engine()
    const outcome = await tscompose(shop('attach', 'web'), { client })
    assert.deepEqual(outcome, { code: 5, stdout: 'bye\n', stderr: '' })
    const names = client.asked.map(({ name }) => name)
    assert.ok(names.indexOf('containerWait') < names.indexOf('containerAttach'), 'waits before it attaches')
  })

  test('--no-stdin passes nothing on', async () => {
    const client = engine()
    await tscompose(shop('attach', '--no-stdin', 'web'), { client })
    const { query } = client.asked.find(({ name }) => name === 'containerAttach')!.input as {
      query: { stdin: boolean }
    }
    assert.equal(query.stdin, false)
  })

  test('says in the words of Compose that a service does not run', async () => {
    const client = engine()
    assert.match((await tscompose(shop('attach', 'nope'), { client })).stderr, /service "nope" is not running\n/)
    assert.match(
      (await tscompose(shop('attach', '--index', '4', 'web'), { client })).stderr,
      /service "web" is not running container #4\n/,
    )
  })

  test('refuses what is paused, and keys that are none', async () => {
    const client = engine({ containerList: () => [summary('web', 1, { State: 'paused' })] })
    assert.match((await tscompose(shop('attach', 'web'), { client })).stderr, /it is paused, it should be running/)
    const keys = await tscompose(shop('attach', '--detach-keys', 'ctrl-!', 'web'), { client })
    assert.match(keys.stderr, /Invalid escape keys \(ctrl-!\) provided/)
    assert.deepEqual(parseDetachKeys('ctrl-p,ctrl-[,a'), [16, 27, 97])
  })
})

describe('export', () => {
  const client = fakeClient({
    ...lists,
    containerExport: () => ({ content: each(Buffer.from('ta'), Buffer.from('r')) }),
  })

  test('writes to standard output or to a file', async () => {
    assert.equal((await tscompose(shop('export', 'web'), { client })).stdout, 'tar')
    assert.equal((await tscompose(shop('export', '-o', 'web.tar', 'web'), { client, cwd: folder })).code, 0)
    assert.equal(readFileSync(join(folder, 'web.tar'), 'utf8'), 'tar')
  })

  test('refuses a file in no folder before it asks for anything, and leaves nothing of a failed one', async () => {
    const nowhere = await tscompose(shop('export', '-o', 'no/web.tar', 'web'), { client, cwd: folder })
    assert.match(nowhere.stderr, /folder ".*\/no" does not exist/)
    const broken = fakeClient({
      ...lists,
      containerExport: () => ({
        content: (async function* () {
          yield Buffer.from('t')
          throw Object.assign(new Error('gone'), { code: 'ECONNRESET' })
        })(),
      }),
    })
    assert.equal((await tscompose(shop('export', '-o', 'half.tar', 'web'), { client: broken, cwd: folder })).code, 1)
    assert.throws(() => readFileSync(join(folder, 'half.tar')), { code: 'ENOENT' })
  })
})

describe('commit', () => {
  test('sends what is asked for and tells the image', async () => {
    const client = fakeClient({ ...lists, containerCommit: () => ({ Id: 'sha256:abc' }) })
    const { code, stdout, stderr } = await tscompose(
      shop(
        'commit',
        '-a',
        'me',
        '-c',
        'ENV A=1',
        '-c',
        'USER x',
        '-m',
        'why',
        '--pause=false',
        'web',
        'reg:5000/shop/web',
      ),
      { client },
    )
    assert.deepEqual([code, stdout, stderr], [0, '', ' shop-web-1 Committed as sha256:abc\n'])
    assert.deepEqual(client.asked.at(-1)!.input['query'], {
      container: web.Id,
      repo: 'reg:5000/shop/web',
      comment: 'why',
      author: 'me',
      pause: false,
      changes: ['ENV A=1', 'USER x'],
    })
  })
})

describe('version', () => {
  for (const argv of [['version'], ['--version'], ['-v']])
    test(`${argv.join(' ')} is a line in the form of Compose`, async () => {
      const { code, stdout } = await tscompose(argv)
      assert.equal(code, 0)
      assert.match(stdout, /^Docker Compose version 2\.\d+\.\d+-tscompose\.\d+\.\d+\.\d+\n$/)
    })

  test('--short is the number alone, -f json the same as data, another format is let pass', async () => {
    const { stdout } = await tscompose(['version', '--short'])
    assert.match(stdout, /^2\.\d+\.\d+-tscompose\.\d+\.\d+\.\d+\n$/)
    assert.deepEqual(JSON.parse((await tscompose(['version', '-f', 'json'])).stdout), { version: stdout.trim() })
    const bogus = await tscompose(['version', '-f', 'bogus'])
    assert.deepEqual([bogus.code, bogus.stdout], [0, `Docker Compose version ${stdout}`])
  })

  test('takes no word', async () => {
    const { code, stderr } = await tscompose(['version', 'extra'])
    assert.deepEqual([code, stderr], [1, 'error unknown command "extra" for "tscompose version"\n'])
  })
})
