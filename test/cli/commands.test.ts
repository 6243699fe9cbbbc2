import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { after, describe, test } from 'node:test'
import { recreationOf } from '../../src/cli/bring-up.ts'
import { commands } from '../../src/cli/commands.ts'
import { Failure } from '../../src/lib/failure.ts'
import { each, fakeClient, summary, tscompose } from './fake-client.ts'

const folder = mkdtempSync(join(tmpdir(), 'tscompose-commands-'))
after(() => rmSync(folder, { recursive: true }))
writeFileSync(
  join(folder, 'compose.yaml'),
  'name: shop\nservices:\n  web: {image: busybox:1}\n  db: {image: busybox:1}\n',
)

const two = [
  summary('web', 1, { Ports: [{ IP: '0.0.0.0', PrivatePort: 80, PublicPort: 8080, Type: 'tcp' }] }),
  summary('db', 1, { State: 'exited', Status: 'Exited (3) 4 seconds ago' }),
]
const listing = {
  containerList: ({ query }: { query: { all?: boolean } }) => two.filter(each => query.all || each.State === 'running'),
}

describe('tscompose', () => {
  test('alone shows all commands in their groups', async () => {
    const { code, stdout, stderr } = await tscompose([])
    assert.deepEqual([code, stderr], [0, ''])
    for (const { name, summary: text } of commands) assert.match(stdout, new RegExp(`^ {2}${name} +${text}$`, 'm'))
  })

  for (const { name } of commands)
    test(`${name} --help shows its usage`, async () => {
      const { code, stdout } = await tscompose([...name.split(' '), '--help'])
      assert.equal(code, 0)
      assert.match(stdout, new RegExp(`^Usage  tscompose ${name}`, 'm'))
    })

  test('shows the general help and the nearest command for one that does not exist', async () => {
    const { code, stdout, stderr } = await tscompose(['pss'])
    assert.equal(code, 1)
    assert.equal(stdout, (await tscompose([])).stdout)
    assert.equal(stderr, 'error unknown command: "pss"\n  Did you mean "ps"?\n')
  })

  for (const [word, instead] of [
    ['publish', /tscompose push/],
    ['bridge', /config --format json/],
    ['alpha', /tscompose scale/],
  ] as const)
    test(`refuses ${word} by name, with what there is instead`, async () => {
      const { code, stdout, stderr } = await tscompose([word, 'x', '--dry-run'])
      assert.deepEqual([code, stdout], [1, ''])
      assert.match(stderr, new RegExp(`^error Cannot use "${word}": `))
      assert.match(stderr, instead)
    })

  test('takes global options before and after the command', async () => {
    const client = fakeClient(listing)
    const before = await tscompose(['-p', 'shop', 'ps', '-q'], { client })
    const behind = await tscompose(['ps', '-q', '-p', 'shop'], { client })
    assert.equal(before.stdout, `${two[0]!.Id}\n`)
    assert.equal(behind.stdout, before.stdout)
  })

  test('lets a command use a letter that is also a global one', async () => {
    const client = fakeClient({ ...listing, containerInspect: () => ({ Config: { Tty: false } }) })
    const { stderr } = await tscompose(['-p', 'shop', 'logs', '-f', '--tail', 'some'], { client })
    assert.match(stderr, /--tail some is left out/)
  })

  test('ends with 1 and the kind of the engine failing, and never throws', async () => {
    const client = fakeClient({
      containerList: () => {
        throw new Failure('unavailable', 'Cannot reach it')
      },
    })
    const { code, stderr } = await tscompose(['-p', 'shop', 'ps'], { client })
    assert.deepEqual([code, stderr], [1, 'error Cannot reach it\n'])
  })

  test('reports a failure as JSON where JSON is read', async () => {
    const client = fakeClient({})
    const { stdout, stderr } = await tscompose(['-p', 'shop', 'ps', '--format', 'json'], { client })
    assert.equal(stdout, '')
    assert.equal(JSON.parse(stderr).error.kind, 'unsupported')
  })
})

describe('ps', () => {
  test('prints a table of what runs', async () => {
    const { code, stdout } = await tscompose(['ps'], { client: fakeClient(listing), cwd: folder })
    assert.equal(code, 0)
    assert.deepEqual(stdout.trimEnd().split('\n'), [
      'NAME         IMAGE       COMMAND        SERVICE   CREATED              STATUS              PORTS',
      'shop-web-1   busybox:1   "sleep 1000"   web       About a minute ago   Up About a minute   0.0.0.0:8080->80/tcp',
    ])
  })

  test('prints as the docker configuration says, where nothing else is asked', async () => {
    const config = join(folder, 'config')
    mkdirSync(config, { recursive: true })
    const shown = async (content: string, ...words: string[]) => {
      writeFileSync(join(config, 'config.json'), content)
      const env = { DOCKER_CONFIG: config }
      return await tscompose(['ps', ...words], { client: fakeClient(listing), cwd: folder, env })
    }
    const usual = JSON.stringify({ psFormat: 'table {{.Name}}' })
    assert.equal((await shown(usual)).stdout, 'NAME\nshop-web-1\n')
    assert.equal((await shown(usual, '--format', '{{.Service}}')).stdout, 'web\n')
    const broken = await shown('{')
    assert.equal(broken.code, 0)
    assert.match(broken.stdout, /^NAME +IMAGE/)
    assert.match(broken.stderr, /config\.json/)
  })

  for (const [format, expected] of [
    ['{{.Name}} {{.Label "com.docker.compose.container-number"}}', 'shop-db-1 1\nshop-web-1 1\n'],
    ['table {{.Service}}\\t{{.State}}', 'SERVICE   STATE\ndb        exited\nweb       running\n'],
    [
      'table {{.Label "my.long_name"}}\t{{upper .Name}}',
      'long name   NAME\n            SHOP-DB-1\n            SHOP-WEB-1\n',
    ],
    ['{{json .Publishers}}', '[]\n[{"URL":"0.0.0.0","TargetPort":80,"PublishedPort":8080,"Protocol":"tcp"}]\n'],
    ['words', 'words\nwords\n'],
  ] as const)
    test(`-a --format '${format}' prints by the template`, async () => {
      const { code, stdout } = await tscompose(['ps', '-a', '--format', format], {
        client: fakeClient(listing),
        cwd: folder,
      })
      assert.deepEqual([code, stdout], [0, expected])
    })

  test('--format with a field there is none of ends with 1, the place and the fields', async () => {
    const { code, stdout, stderr } = await tscompose(['ps', '--format', '{{.Bogus}}'], {
      client: fakeClient(listing),
      cwd: folder,
    })
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, /template parsing error: template: :1:3: can't evaluate field Bogus\n {2}Fields are Command, /)
  })

  test('--format json and jsonl are an object a line, array is one', async () => {
    const run = async (format: string) =>
      (await tscompose(['ps', '-a', '--format', format], { client: fakeClient(listing), cwd: folder })).stdout
    const lines = (await run('json')).trimEnd().split('\n')
    assert.equal(lines.length, 2)
    assert.equal(await run('jsonl'), await run('json'))
    assert.deepEqual(
      JSON.parse(await run('array')),
      lines.map(line => JSON.parse(line)),
    )
  })

  for (const [argv, env, code] of [
    [['ps', 'nope'], {}, 1],
    [['logs', 'nope'], {}, 1],
    [['-p', 'shop', 'ps', 'nope'], {}, 0],
    [['ps', 'nope'], { COMPOSE_PROJECT_NAME: 'shop' }, 0],
    [['top', 'nope'], {}, 0],
    [['images', 'nope'], {}, 0],
  ] as const)
    test(`${argv.join(' ')} ${JSON.stringify(env)} of a service nobody knows ends with ${code}, as with Compose`, async () => {
      const outcome = await tscompose(argv, { client: fakeClient(listing), cwd: folder, env })
      assert.equal(outcome.code, code)
      assert.equal(/no such service: nope/.test(outcome.stderr), code === 1 || 'COMPOSE_PROJECT_NAME' in env)
    })

  test('asks the engine once, for the project of the folder', async () => {
    const client = fakeClient(listing)
    await tscompose(['ps'], { client, cwd: folder })
    assert.deepEqual(client.asked, [
      {
        name: 'containerList',
        input: { query: { all: false, filters: { label: ['com.docker.compose.project=shop'] } } },
      },
    ])
  })

  test('--all --format json gives exit codes and publishers', async () => {
    const { stdout } = await tscompose(['ps', '--all', '--format', 'json'], {
      client: fakeClient(listing),
      cwd: folder,
    })
    const [db, web] = stdout
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
    assert.deepEqual([db.Service, db.State, db.ExitCode], ['db', 'exited', 3])
    assert.deepEqual(web.Publishers, [{ URL: '0.0.0.0', TargetPort: 80, PublishedPort: 8080, Protocol: 'tcp' }])
  })

  test('shows what a container calls itself without obeying it', async () => {
    const client = fakeClient({ containerList: () => [summary('web', 1, { Command: 'x\u001b[2J' })] })
    const { stdout } = await tscompose(['ps'], { client, cwd: folder })
    assert.ok(!stdout.includes('\u001b'))
  })

  test('names the services there are when one does not exist', async () => {
    const { code, stderr } = await tscompose(['ps', 'wbe'], { client: fakeClient(listing), cwd: folder })
    assert.equal(code, 1)
    assert.match(stderr, /no such service: wbe\n {2}Services are db and web/)
  })
})

describe('exec', () => {
  function engine(exitCode: number) {
    return fakeClient({
      ...listing,
      execCreate: () => ({ Id: 'e1' }),
      execStart: () => ({
        tty: false,
        socket: new PassThrough(),
        output: each({ stream: 'stdout', data: Buffer.from('out') }, { stream: 'stderr', data: Buffer.from('err') }),
      }),
      execInspect: () => ({ ExitCode: exitCode }),
    })
  }

  test('passes both streams on and ends with the exit code of the command', async () => {
    const outcome = await tscompose(['exec', 'web', 'sh', '-c', 'x'], { client: engine(7), cwd: folder })
    assert.deepEqual(outcome, { code: 7, stdout: 'out', stderr: 'err' })
  })

  test('hands the options behind the service to the command, and variables from here', async () => {
    const client = engine(0)
    await tscompose(['exec', '-e', 'A=1', '-e', 'HERE', '-e', 'NOT', '-u', 'me', 'web', 'ls', '-l', '--help'], {
      client,
      cwd: folder,
      env: { HERE: 'x' },
    })
    const { body } = client.asked.find(({ name }) => name === 'execCreate')!.input as { body: Record<string, unknown> }
    assert.deepEqual(
      [body['Cmd'], body['Env'], body['User'], body['Tty']],
      [['ls', '-l', '--help'], ['A=1', 'HERE=x'], 'me', false],
    )
  })

  test('refuses a service that does not run', async () => {
    const { code, stderr } = await tscompose(['exec', 'db', 'sh'], { client: engine(0), cwd: folder })
    assert.equal(code, 1)
    assert.match(stderr, /service "db" is not running\n {2}Start it with/)
  })
})

describe('stacks at fault', () => {
  test('config ends with 1 and names file and line', async () => {
    const bad = join(folder, 'bad.yaml')
    writeFileSync(bad, 'services:\n  web:\n    imge: x\n')
    const { code, stdout, stderr } = await tscompose(['-f', bad, 'config'], { cwd: folder })
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, /^error .*bad\.yaml:3:5 services\.web\.imge\n/)
    assert.match(stderr, /Did you mean "image"\?/)
  })

  test('a stack file that is not there ends with 1', async () => {
    assert.equal((await tscompose(['-f', '/nowhere.yaml', 'config'])).code, 1)
  })

  test('config refuses two services of one container name, and shows one of them alone', async () => {
    const file = join(folder, 'clash.yaml')
    writeFileSync(file, 'services: {a: {image: x, container_name: nn}, b: {image: x, container_name: nn}}\n')
    const config = async (...words: string[]) => tscompose(['-f', file, 'config', ...words])
    const both = await config()
    assert.deepEqual([both.code, both.stdout], [1, ''])
    assert.match(both.stderr, /container name "nn" is already in use by service "a"/)
    assert.deepEqual([(await config('a')).code, (await config('--services')).code], [0, 0])
  })

  test('reads the stack from standard input', async () => {
    const { code, stdout } = await tscompose(['-f', '-', '-p', 'x', 'config', '--services'], {
      stdin: 'services: {one: {image: a}}',
    })
    assert.deepEqual([code, stdout], [0, 'one\n'])
  })
})

describe('plan and up', () => {
  const empty = {
    containerList: () => [],
    networkList: () => [],
    volumeList: () => ({ Volumes: [], Warnings: null }),
    imageInspect: () => ({
      Id: `sha256:${'b'.repeat(64)}`,
      RepoTags: [],
      RepoDigests: [],
      Architecture: 'amd64',
      Os: 'linux',
      Size: 1,
    }),
  }

  test('plan --steps prints operations with their causes and changes nothing', async () => {
    const client = fakeClient(empty)
    const { code, stdout } = await tscompose(['plan', '--steps'], { client, cwd: folder })
    assert.equal(code, 0)
    assert.match(stdout, /create-network +not found/)
    assert.match(stdout, /container +shop-web-1 +create-container +no container for replica 1/)
    assert.ok(client.asked.every(({ name }) => /List|Inspect/.test(name)))
  })

  test('rm --stop --dry-run shows what would be removed once it has stopped', async () => {
    const client = fakeClient({ ...empty, containerList: () => two })
    const { code, stdout } = await tscompose(['--dry-run', '-p', 'shop', 'rm', '-sf'], { client, cwd: folder })
    assert.deepEqual([code, stdout], [0, 'Going to remove shop-web-1, shop-db-1\n'])
    assert.ok(client.asked.every(({ name }) => /List|Inspect/.test(name)))
  })

  test('plan prints by service what happens, and a line of totals', async () => {
    const { stdout } = await tscompose(['plan', 'web'], { client: fakeClient(empty), cwd: folder })
    assert.match(stdout, /^\+ network shop_default: create {2}not found$/m)
    assert.match(stdout, /^\+ web: create {2}no container for replica 1$/m)
    assert.match(stdout, /\n\d to create\n$/)
  })

  test('plan --detailed-exitcode ends with 2 when something would change', async () => {
    assert.equal((await tscompose(['plan', '--detailed-exitcode'], { client: fakeClient(empty), cwd: folder })).code, 2)
  })

  test('up --dry-run tells the same plan, on stderr', async () => {
    const plan = await tscompose(['plan', '--steps'], { client: fakeClient(empty), cwd: folder })
    const dry = await tscompose(['up', '--dry-run'], { client: fakeClient(empty), cwd: folder })
    assert.deepEqual([dry.code, dry.stdout, dry.stderr], [0, '', plan.stdout])
  })

  test('up -d applies it with a line a step on stderr', async () => {
    const client = fakeClient({
      ...empty,
      networkCreate: () => ({ Id: 'n', Warning: '' }),
      containerCreate: () => ({ Id: 'c', Warnings: null }),
      containerStart: () => undefined,
    })
    const { code, stdout, stderr } = await tscompose(['up', '-d'], { client, cwd: folder })
    assert.deepEqual([code, stdout], [0, ''])
    const lines = stderr.trimEnd().split('\n')
    assert.deepEqual(lines.slice(0, 2), [' Network shop_default  Creating', ' Network shop_default  Created'])
    assert.deepEqual(
      lines.slice(2).filter(line => line.includes('web')),
      ['Creating', 'Created', 'Starting', 'Started'].map(word => ` Container shop-web-1  ${word}`),
    )
  })

  test('up tells what has failed and what that container printed last', async () => {
    const client = fakeClient({
      ...empty,
      networkCreate: () => ({ Id: 'n', Warning: '' }),
      containerCreate: () => ({ Id: 'c', Warnings: null }),
      containerStart: () => {
        throw new Failure('internal', 'exec failed')
      },
      containerLogs: () => each({ stream: 'stderr', data: Buffer.from('no such file\n') }),
    })
    const { code, stderr } = await tscompose(['up', '-d', 'web'], { client, cwd: folder })
    assert.equal(code, 1)
    assert.match(
      stderr,
      / Container shop-web-1 {2}Error\nLast output of shop-web-1:\n {2}no such file\nerror \S+:\d+:\d+ services\.web\n {2}.*exec failed\n/,
    )
  })

  test('up --renew-anon-volumes recreates what has not changed, unless --no-recreate keeps it', () => {
    const none = { 'force-recreate': false, 'no-recreate': false, 'renew-anon-volumes': false }
    assert.equal(recreationOf(none), 'diverged')
    assert.equal(recreationOf({ ...none, 'renew-anon-volumes': true }), 'always')
    assert.equal(recreationOf({ ...none, 'force-recreate': true }), 'always')
    assert.equal(recreationOf({ ...none, 'no-recreate': true, 'renew-anon-volumes': true }), 'never')
  })

  test('up refuses a stack of which no service is selected', async () => {
    const lone = join(folder, 'profiles.yaml')
    writeFileSync(lone, 'services: {a: {image: busybox, profiles: [x]}}')
    const { code, stderr } = await tscompose(['-f', lone, 'up', '-d'], { client: fakeClient(empty), cwd: folder })
    assert.deepEqual([code, /no service selected/.test(stderr)], [1, true], stderr)
  })

  test('up refuses options that exclude each other', async () => {
    for (const [words, text] of [
      [['--force-recreate', '--no-recreate'], /are incompatible/],
      [['--always-recreate-deps', '--no-recreate'], /are incompatible/],
      [['-d', '--exit-code-from', 'web'], /--detach cannot be combined with --abort-on-container-exit, /],
      [['-d', '--attach', 'web'], /--detach cannot be combined with/],
      [['-d', '--abort-on-container-failure'], /--detach cannot be combined with/],
      [['--wait', '--attach-dependencies'], /--wait cannot be combined with --abort-on-container-exit, --attach or/],
      [['--abort-on-container-exit', '--abort-on-container-failure'], /cannot be combined/],
      [['--watch', '--no-start'], /exclude each other/],
      [['--scale', 'web'], /SERVICE=N/],
      [['--exit-code-from', 'db', 'web'], /no such service: db: disabled/],
      [['-d', '--scale', 'nope=2'], /no such service: nope/],
    ] as const) {
      const { code, stderr } = await tscompose(['up', ...words], { client: fakeClient(empty), cwd: folder })
      assert.notEqual(code, 0)
      assert.match(stderr, text)
    }
  })
})
