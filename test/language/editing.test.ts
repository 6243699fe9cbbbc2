/** Completion, hover and definition at places of a text: "¦" is the cursor. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { complete } from '../../src/language/completion.ts'
import { definition } from '../../src/language/definition.ts'
import { hover } from '../../src/language/hover.ts'
import { positionAt } from '../../src/language/position.ts'
import { attributePaths } from '../../src/stack/attributes.ts'
import { stackSchema } from '../../src/stack/json-schema.ts'
import { supportTable } from '../../src/targets/engine/support.ts'

const schema = stackSchema(supportTable(attributePaths()))

function cursor(text: string) {
  const before = text.slice(0, text.indexOf('¦')).split('\n')
  const lines = text.replace('¦', '').split('\n')
  return { lines, at: { line: before.length - 1, character: before.at(-1)!.length } }
}

describe('positionAt()', () => {
  for (const [text, path, at, word] of [
    ['ser¦', '', 'key', 'ser'],
    ['services:\n  web:\n    ¦', 'services.web', 'key', ''],
    ['services:\n  web:\n    image: a\n    dep¦', 'services.web', 'key', 'dep'],
    ['services:\n  web:\n    restart: al¦', 'services.web.restart', 'value', 'al'],
    ['services:\n  web:\n    depends_on:\n      - d¦', 'services.web.depends_on.-', 'key', 'd'],
    // a list may stand in the column of its key
    ['services:\n  web:\n    depends_on:\n    - a\n    - ¦', 'services.web.depends_on.-', 'key', ''],
    ['services:\n  web:\n    ports:\n      - target: 80\n        ¦\n', 'services.web.ports.-', 'key', ''],
    ['services:\n  web:\n    ports:\n      - target: 80\n        mode: h¦', 'services.web.ports.-.mode', 'value', 'h'],
    ['services:\n  web: {image: a, res¦', 'services.web', 'key', 'res'],
    ['services:\n  web: {image: a, restart: ¦', 'services.web.restart', 'value', ''],
    ['services:\n  web: {depends_on: [db, ¦', 'services.web.depends_on.-', 'key', ''],
    ['services:\n  web:\n    image: "a: b"\n  # db:\n\n  db:\n    ¦', 'services.db', 'key', ''],
    ['services:\n  web:\n    image: a\nvolumes:\n  ¦', 'volumes', 'key', ''],
    ['services:\n  "web.1":\n    ¦', 'services.web.1', 'key', ''],
  ] as const)
    test(JSON.stringify(text), () => {
      const { lines, at: place } = cursor(text)
      const found = positionAt(lines, place.line, place.character)
      assert.deepEqual([found.path.join('.'), found.at, found.word], [path, at, word])
    })
})

const stack = `services:
  web:
    image: a
    depends_on: [db]
  db:
    image: b
    networks:
      back:
networks:
  back:
volumes:
  data:
  cache:
`
const labels = (text: string) => {
  const { lines, at } = cursor(text)
  return complete(lines, at, { schema }).map(({ label }) => label)
}

describe('complete()', () => {
  test('proposes keys of the schema with their documentation, without those that are there', () => {
    const { lines, at } = cursor('services:\n  web:\n    image: a\n    ¦\n    restart: no\n')
    const found = complete(lines, at, { schema })
    const names = found.map(({ label }) => label)
    assert.ok(names.includes('depends_on') && names.includes('healthcheck'))
    assert.ok(!names.includes('image') && !names.includes('restart'))
    // what stands on lines of its own needs no space
    assert.equal(found.find(({ label }) => label === 'ports')?.text, 'ports:')
    assert.equal(found.find(({ label }) => label === 'mem_limit')?.text, 'mem_limit: ')
    assert.ok(found.find(({ label }) => label === 'cpu_count')?.about?.includes('Not honoured'))
  })

  test('proposes words where only some are possible, and truths', () => {
    const found = labels('services:\n  web:\n    depends_on:\n      db:\n        condition: ¦')
    assert.deepEqual(found, ['service_started', 'service_healthy', 'service_completed_successfully'])
    assert.deepEqual(labels('services:\n  web:\n    read_only: ¦'), ['true', 'false'])
  })

  test('goes as deep as the text does', () => {
    const deep = 'services:\n  web:\n    deploy:\n      resources:\n        limits:\n          ¦'
    assert.ok(labels(deep).includes('memory'))
    const item = labels('services:\n  web:\n    ports:\n      - target: 80\n        ¦')
    assert.ok(item.includes('published') && !item.includes('target'))
  })

  test('says nothing in comments, and in what is open', () => {
    assert.deepEqual(labels('services:\n  # im¦'), [])
    assert.deepEqual(labels('services:\n  web:\n    image: a # b¦'), [])
    assert.deepEqual(labels('services:\n  web:\n    environment:\n      FOO: ¦'), [])
  })

  for (const [text, wanted] of [
    [`${stack}  \n`.replace('[db]', '[¦]'), ['db']],
    [stack.replace('    depends_on: [db]', '    depends_on:\n      - ¦'), ['db']],
    [stack.replace('    depends_on: [db]', '    network_mode: ¦'), ['service:db']],
    [stack.replace('    depends_on: [db]', '    networks:\n      - ¦'), ['back']],
    [stack.replace('      back:\n', '      ¦\n'), ['back']],
    [stack.replace('    depends_on: [db]', '    extends:\n      service: ¦'), ['db']],
    [stack.replace('    depends_on: [db]', '    volumes:\n      - type: volume\n        source: ¦'), ['data', 'cache']],
  ] as const)
    test(`proposes names that the stack gives: ${wanted.join(', ')}`, () => assert.deepEqual(labels(text), wanted))

  test('proposes volumes up to the colon of the short form, and nothing of the kind behind it', () => {
    const short = stack.replace('    depends_on: [db]', '    volumes:\n      - ¦')
    const { lines, at } = cursor(short)
    const names = complete(lines, at, { schema }).filter(({ kind }) => kind === 'name')
    assert.deepEqual(
      names.map(({ text }) => text),
      ['data:', 'cache:'],
    )
    assert.ok(!labels(short.replace('¦', 'data:¦')).includes('cache'))
  })

  test('proposes anchors behind an asterisk', () => {
    assert.deepEqual(labels('x-a: &base {a: 1}\nx-b: &other 2\nservices:\n  web: *¦'), ['*base', '*other'])
  })

  test('proposes names of other files', () => {
    const { lines, at } = cursor('services:\n  web:\n    depends_on: [¦')
    const found = complete(lines, at, { schema, others: section => (section === 'services' ? ['db', 'web'] : []) })
    assert.deepEqual(
      found.filter(({ kind }) => kind === 'name').map(({ label }) => label),
      ['db'],
    )
  })
})

describe('hover()', () => {
  const shown = (text: string) => {
    const { lines, at } = cursor(text)
    return hover(lines, at, schema)
  }

  test('tells what a key is for, and where it ends', () => {
    const found = shown('services:\n  web:\n    mem_l¦imit: 64m')
    assert.match(found!.text, /^\*\*services\.web\.mem_limit\*\*\n\n\S/)
    assert.deepEqual([found!.from, found!.to], [4, 13])
  })

  test('tells what is not honoured', () => {
    assert.match(shown('services:\n  web:\n    cpu_c¦ount: 2')!.text, /Not honoured by tscompose/)
  })

  test('says nothing of comments, names and blanks', () => {
    for (const text of ['# mem¦_limit', 'services:\n  w¦eb:\n', 'services:\n  web:\n    ¦'])
      assert.ok(!shown(text)?.text.includes('undefined'))
    assert.equal(shown('# mem¦_limit'), undefined)
  })
})

describe('definition()', () => {
  const files: Readonly<Record<string, string>> = {
    '/s/base.yaml': 'services:\n  base:\n    image: x\n',
    '/s/a.env': '',
  }
  const target = (text: string) => {
    const { lines, at } = cursor(text)
    const found = definition(lines, at, { file: '/s/compose.yaml', read: path => files[path] })
    return found && `${found.file}:${found.line + 1}:${found.column + 1}`
  }

  for (const [what, text, wanted] of [
    ['an anchor', 'x-a: &base\n  a: 1\nservices:\n  web:\n    <<: *ba¦se', '/s/compose.yaml:1:6'],
    ['a service that is depended on', stack.replace('[db]', '[d¦b]'), '/s/compose.yaml:5:3'],
    ['a network', stack.replace('      back:', '      ba¦ck:'), '/s/compose.yaml:10:3'],
    ['a volume', stack.replace('depends_on: [db]', 'volumes: ["da¦ta:/data"]'), '/s/compose.yaml:12:3'],
    ['a service of a mode', stack.replace('depends_on: [db]', 'pid: service:d¦b'), '/s/compose.yaml:5:3'],
    [
      'a service of another file',
      'services:\n  web:\n    extends:\n      file: base.yaml\n      service: ba¦se\n',
      '/s/base.yaml:2:3',
    ],
    ['a file that is extended', 'services:\n  web:\n    extends:\n      file: ba¦se.yaml', '/s/base.yaml:1:1'],
    ['a file that is included', 'include:\n  - bas¦e.yaml', '/s/base.yaml:1:1'],
    ['an env file', 'services:\n  web:\n    env_file: a.e¦nv', '/s/a.env:1:1'],
    ['nothing for a bind', stack.replace('[db]', '[]').replace('image: b', 'volumes: [./d¦ata:/x]'), undefined],
    ['nothing for a file that is not there', 'include:\n  - no¦ne.yaml', undefined],
  ] as const)
    test(`finds ${what}`, () => assert.equal(target(text), wanted))
})
