import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { config, load, loadFiles, problems } from './stacks.ts'

const head = 'services:\n  web:\n    image: busybox\n'

describe('odd values are taken as Docker Compose takes them', () => {
  const cases: ReadonlyArray<readonly [line: string, key: string, value: unknown]> = [
    ['mem_limit: "1e6"', 'mem_limit', '1000000'],
    ['mem_limit: "+1_0 k"', 'mem_limit', '10240'],
    ['mem_limit: 9223372036854775807', 'mem_limit', '9223372036854775807'],
    ['mem_limit: 1.5', 'mem_limit', undefined],
    ['cpus: "1_0.5"', 'cpus', 10.5],
    [
      'labels: {a: 1e5, b: 1e6, c: 0.00001, d: 18446744073709551616}',
      'labels',
      { a: '100000', b: '1e+06', c: '1e-05', d: '1.8446744073709552e+19' },
    ],
    ['labels: {a: !!float 1}', 'labels', { a: '1' }],
    ['labels: {A:, "b":}', 'labels', { 'A:': '', b: '' }],
    ['hostname: !override 5', 'hostname', '5'],
    ['extra_hosts: ["a="]', 'extra_hosts', ['a=']],
    ['command: a `b c` $$(d e)', 'command', ['a', '`b c`', '$$(d e)']],
    ['command: 1a> b', 'command', []],
    ['volumes: ["./a:/b:nocopy"]', 'volumes.0.volume', { nocopy: true }],
    ['volumes: [{type: bind, source: "", target: /b}]', 'volumes.0.source', '/stack'],
    ['ports: ["80:80", {target: 80, published: 80}]', 'ports.length', 2],
    ['ports: ["80:80", {target: 80, published: "80"}]', 'ports.length', 1],
    ['networks: {default: {priority: 1.5}}', 'networks.default.priority', 1],
    ['hostname: "${A:-{}}x"', 'hostname', '{}x'],
    ['hostname: "${B:-{}}x"', 'hostname', 'bx'],
    ['hostname: "${B:-{{.Name}}}"', 'hostname', 'b}'],
  ]
  for (const [line, key, value] of cases)
    test(line, async () => {
      const { services } = await config(`${head}    ${line}\n`, { env: { B: 'b' } })
      const found = key.split('.').reduce((at, part) => at?.[part], services.web)
      assert.deepEqual(
        typeof found === 'string' && found.startsWith('/') ? found.replace(/.*\/shop$/, '/stack') : found,
        value,
      )
    })
})

describe('what Docker Compose refuses is refused', () => {
  const lines = [
    'mem_limit: "-1"',
    'mem_limit: " 1k"',
    'stop_grace_period: " 1s"',
    'stop_grace_period: 3000000h',
    'oom_score_adj: "2000"',
    'cpu_percent: "101"',
    'environment: ["A =1"]',
    'ports: [80.0]',
    'ports: ["80:0"]',
    'ports: ["[fe80::1%eth0]:80:80"]',
    'expose: [80.5]',
    'command: a (b)',
    'command: a `b',
    'volumes: [{type: bind, target: /b}]',
    'volumes: [{type: tmpfs, target: /b, tmpfs: {mode: "0755"}}]',
    'develop: {watch: [{path: "", action: rebuild}]}',
    'env_file: [{path: compose.yaml, format: ini}]',
    'build: {context: ., additional_contexts: {base: "service:db"}}',
    'hostname: "${A:-b${C:?no}}"',
    'hostname: "${A:-b\\nc}"',
  ]
  for (const line of lines)
    test(line, async () => {
      const [first] = await problems(`${head}    ${line}\n  db: {image: busybox}\n`)
      assert.equal(first?.place?.line, 4)
    })

  test('a folder or nothing where a file is named, with the place of the name', async () => {
    const named = [
      `${head}    env_file: [.]\n`,
      `${head}    label_file: [.]\n`,
      `${head}    extends: {file: ., service: web}\n`,
      `include:\n  - path: part.yaml\n\n    env_file: none.env\n${head}`,
    ]
    for (const stack of named) {
      const [first] = await problems({ 'compose.yaml': stack, 'part.yaml': 'services: {}\n' })
      assert.equal(first?.code, 'missing-file')
      assert.ok(first?.place)
    }
  })

  test('a name of which nothing is left', async () => {
    assert.equal((await problems(`name: "$\{A}"\n${head}`))[0]?.place?.line, 1)
  })

  test('an empty document beside others', async () => {
    assert.match((await problems(`${head}---\n`))[0]?.message ?? '', /the top of the file/)
  })
})

describe('what is odd and accepted is said', () => {
  const codes = async (files: Readonly<Record<string, string>>) =>
    (await loadFiles(files)).warnings.map(warning => warning.code)

  test('an env_file whose last line has neither "=" nor a line break', async () => {
    const files = { 'compose.yaml': `${head}    env_file: e.env\n`, 'e.env': 'A=1\nB' }
    assert.deepEqual(await codes(files), ['nameless-variable'])
    const { project } = await loadFiles(files)
    assert.deepEqual({ ...project.services['web']?.environment }, { A: '1' })
  })

  test('a colon that belongs to the key', async () => {
    assert.deepEqual(await codes({ 'compose.yaml': `${head}    environment: {A:}\n` }), ['colon-in-key'])
  })

  test('an include of nothing, and keys without effect in include and extends', async () => {
    const stack = `include:\n  - {}\n  - {path: part.yaml, foo: 1}\n${head}    extends: {service: db, bar: 1}\n  db: {image: busybox}\n`
    assert.deepEqual(await codes({ 'compose.yaml': stack, 'part.yaml': 'services: {part: {image: busybox}}\n' }), [
      'unknown-key',
      'unknown-key',
      'missing-key',
    ])
  })
})

test('references in a label_file see what the files before it say first', async () => {
  const stack = await loadFiles({
    'compose.yaml': `${head}    label_file: [a.labels, b.labels]\n`,
    'a.labels': 'A=1\n',
    'b.labels': 'A=2\nB=$A\n',
  })
  assert.deepEqual({ ...stack.project.services['web']?.labels }, { A: '2', B: '1' })
})

test('services that are built from each other may depend on each other the other way round', async () => {
  const { project } = await load(
    'services:\n  web: {build: {context: .}, depends_on: [db]}\n  db: {build: {context: ., additional_contexts: {base: "service:web"}}}\n',
  )
  assert.deepEqual(Object.keys(project.services), ['web', 'db'])
})

test('services that are selected bring what they depend on, and nothing else', async () => {
  const data = await config(
    'services:\n  a: {image: x, depends_on: [b]}\n  b: {image: x, networks: [n]}\n  c: {image: x, networks: [m]}\nnetworks: {n: {}, m: {}}\n',
    { selected: ['a'] },
  )
  assert.deepEqual(
    [Object.keys(data.services), Object.keys(data.networks)],
    [
      ['a', 'b'],
      ['default', 'n'],
    ],
  )
})

test('COMPOSE_FILE may name standard input, and COMPOSE_ENV_FILES is not taken from .env', async () => {
  const stdin = async () => Buffer.from('services: {web: {image: "busybox:${TAG:-none}"}}\n')
  const { project } = await loadFiles(
    { '.env': 'COMPOSE_ENV_FILES=other.env\n', 'other.env': 'TAG=1\n' },
    { env: { COMPOSE_FILE: '-' }, stdin },
  )
  assert.equal(project.services['web']?.image, 'busybox:none')
})
