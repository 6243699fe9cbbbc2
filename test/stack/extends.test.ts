import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { textAt } from '../../src/stack/tree.ts'
import { at, loadFiles, problems } from './stacks.ts'

type Files = Readonly<Record<string, string>>

async function service(files: Files, options: Parameters<typeof loadFiles>[1] = {}) {
  const { project } = await loadFiles(files, options)
  return { ...project.services['a']!, directory: project.directory }
}

const extending = (extend: string, own = '') => `services:\n  a: {extends: ${extend}${own}}\n`

test('a service takes over what another one has, and its own is stronger', async () => {
  const base = 'services: {b: {image: b, user: b, labels: {x: b, y: b}, command: [b], ports: ["80"]}}\n'
  const { image, user, labels, command, ports } = await service({
    'compose.yaml': extending(
      '{service: b, file: sub/b.yaml}',
      ', user: a, labels: {x: a, z: a}, command: [a], ports: ["81"]',
    ),
    'sub/b.yaml': base,
  })
  assert.deepEqual([image, user, command], ['b', 'a', ['a']])
  assert.deepEqual({ ...labels }, { x: 'a', y: 'b', z: 'a' })
  assert.deepEqual(
    ports.map(({ target }) => target),
    [80, 81],
  )
})

test('paths of another file are those of its folder, and so are its files', async () => {
  const files = {
    'compose.yaml': extending('{service: b, file: sub/b.yaml}'),
    'sub/b.yaml': 'services: {b: {extends: {service: c, file: ../other/c.yaml}, volumes: ["./b:/b"]}}\n',
    'other/c.yaml': 'services: {c: {image: c, volumes: ["./c:/c"], env_file: c.env}}\n',
    'other/c.env': 'C=c\n',
  }
  const { mounts, directory, environment } = await service(files)
  assert.deepEqual(
    mounts.map(mount => mount.kind === 'bind' && mount.source),
    [`${directory}/other/c`, `${directory}/sub/b`],
  )
  assert.deepEqual({ ...environment }, { C: 'c' })
})

test('a file of several documents is extended as they come to together, with what they take away', async () => {
  const base = 'services: {b: {image: b, user: b, labels: {x: b}}}\n---\nservices: {b: {image: c, user: !reset null}}\n'
  const { image, labels } = await service({
    'compose.yaml': extending('{service: b, file: b.yaml}', ', labels: !override {y: a}'),
    'b.yaml': base,
  })
  assert.equal(image, 'c')
  assert.deepEqual({ ...labels }, { y: 'a' })
})

test('several services may extend one, and each other in a chain', async () => {
  const { project } = await loadFiles({
    'compose.yaml': `services:
  c: {extends: b, user: c}
  b: {extends: {service: a}, labels: {b: b}}
  a: {image: a, labels: {a: a}}
  d: {extends: b, image: d}
`,
  })
  const { b, c, d } = project.services
  assert.deepEqual([b!.image, c!.image, d!.image], ['a', 'a', 'd'])
  assert.deepEqual({ ...c!.labels }, { a: 'a', b: 'b' })
  assert.deepEqual([b!.user, c!.user], [undefined, 'c'])
})

test('variables of another file are filled in, unless they are to be left', async () => {
  const files = {
    'compose.yaml': extending('{service: b, file: b.yaml}'),
    'b.yaml': 'services: {b: {image: "b:${TAG-none}"}}\n',
  }
  assert.equal((await service(files, { env: { TAG: '1' } })).image, 'b:1')
  const left = await loadFiles(files, { env: { TAG: '1' }, interpolate: false })
  assert.equal(textAt(left.tree, 'services', 'a', 'image'), 'b:${TAG-none}')
})

describe('what cannot be extended is told where it is named', () => {
  const cases: readonly (readonly [extend: string, files: Files, where: string, message: string])[] = [
    ['c', {}, '2:16', 'Cannot extend service "c": this file has services b'],
    [
      '{service: c, file: b.yaml}',
      { 'b.yaml': 'services: {b: {image: b}, d: {image: d}}\n' },
      '2:16',
      'Cannot extend service "c": "b.yaml" has services b, d',
    ],
    [
      '{service: c, file: b.yaml}',
      { 'b.yaml': 'services: {}\n' },
      '2:16',
      'Cannot extend service "c": "b.yaml" has no other service',
    ],
    [
      '{service: c, file: b.yaml}',
      { 'b.yaml': 'networks: {}\n' },
      '2:16',
      'Cannot extend service "c": "b.yaml" has no other service',
    ],
    ['{service: b, file: sub/no.yaml}', {}, '2:35', 'Cannot read "sub/no.yaml": there is no such file'],
    ['{service: b, file: sub}', { 'sub/x': '' }, '2:35', 'Cannot read "sub": it is a folder'],
    ...['https://x/b.yaml', 'http://x/b', 'oci://x/b', 'git@x:b', 'git://x/b', 'ssh://x/b'].map(
      file =>
        [
          `{service: b, file: "${file}"}`,
          {},
          '2:35',
          `Cannot extend from "${file}": files of other machines are not supported yet`,
        ] as const,
    ),
    ['a', {}, '2:16', 'Cannot extend in a circle: a → a'],
  ]
  for (const [extend, files, where, message] of cases)
    test(message, async () => {
      const [first, ...more] = await problems({ 'compose.yaml': `${extending(extend)}  b: {image: b}\n`, ...files })
      assert.equal(first?.message, message)
      assert.deepEqual([at(first), first?.path], [`compose.yaml:${where}`, ['services', 'a', 'extends']])
      assert.deepEqual(more, [])
    })

  test('a circle through several files begins where it is entered', async () => {
    const [first] = await problems({
      'compose.yaml': extending('{service: b, file: b.yaml}'),
      'b.yaml': 'services: {b: {extends: {service: c, file: c.yaml}}}\n',
      'c.yaml': 'services: {c: {extends: {service: b, file: b.yaml}}}\n',
    })
    assert.equal(first?.message, 'Cannot extend in a circle: b → c → b')
  })

  test('what is wrong with a service of another file is told there, and of no other service', async () => {
    const found = await problems({
      'compose.yaml': extending('{service: b, file: b.yaml}'),
      'b.yaml': 'services:\n  other: {imgae: x}\n  b: {imgae: b}\n',
    })
    assert.deepEqual(
      found.map(problem => [at(problem), problem.place?.via]),
      [['b.yaml:3:7', ['extended by compose.yaml:2:35']]],
    )
  })
})
