import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { Failure } from '../../src/lib/failure.ts'
import { type FilesOf, listFiles, readText, writeText } from '../../src/web/stack-files.ts'

const top = mkdtempSync(join(tmpdir(), 'tscompose-web-files-'))
after(() => rmSync(top, { recursive: true }))
const directory = join(top, 'shop')
mkdirSync(join(directory, 'conf'), { recursive: true })
mkdirSync(join(directory, '.git'))
const file = (name: string, text = name) => {
  writeFileSync(join(top, name), text)
  return join(top, name)
}
const stackFile = file('shop/compose.yaml', 'services: {}\n')
file('shop/conf/app.ini')
file('shop/binary', 'a\0b')
const outside = file('secret.txt', 'not for anybody')
const shared = file('shared.env', 'A=1\n')
symlinkSync(outside, join(directory, 'link.txt'))
symlinkSync(top, join(directory, 'up'))
const of: FilesOf = {
  place: { name: 'shop', directory, files: [stackFile] },
  named: [stackFile, shared, join(directory, '.env')],
}
const kindOf = (work: () => unknown) => {
  try {
    work()
    return 'done'
  } catch (error) {
    return error instanceof Failure ? error.kind : 'thrown'
  }
}

describe('files of a stack', () => {
  test('listFiles() shows what is beside the stack file, and what it names from elsewhere', () => {
    assert.deepEqual(
      listFiles(of).map(({ name, kind, named }) => [name, kind, named]),
      [
        [shared, 'file', true],
        ['compose.yaml', 'file', true],
        ['conf', 'folder', false],
        ['binary', 'file', false],
      ],
    )
    assert.deepEqual(
      listFiles(of, join(directory, 'conf')).map(({ name }) => name),
      ['conf/app.ini'],
    )
  })

  for (const [path, kind] of [
    [stackFile, 'done'],
    [join(directory, 'conf/app.ini'), 'done'],
    [shared, 'done'],
    [outside, 'denied'],
    ['/etc/passwd', 'denied'],
    ['/proc/self/environ', 'denied'],
    ['compose.yaml', 'denied'],
    [`${directory}/../secret.txt`, 'denied'],
    [`${directory}/conf/../../secret.txt`, 'denied'],
    [join(directory, 'link.txt'), 'denied'],
    [join(directory, 'up/secret.txt'), 'denied'],
    [`${directory}x`, 'denied'],
    [`${stackFile}\0`, 'denied'],
    [join(directory, 'none'), 'not-found'],
    [join(directory, 'conf'), 'invalid'],
    [join(directory, 'binary'), 'invalid'],
  ] as const)
    test(`readText() of ${JSON.stringify(path.replace(top, ''))} is ${kind}`, () => {
      assert.equal(
        kindOf(() => readText(of, path)),
        kind,
      )
    })

  test('writeText() writes whole, keeps the mode, and refuses what has changed since', () => {
    chmodSync(stackFile, 0o640)
    const { version } = readText(of, stackFile)
    const next = writeText(of, { path: stackFile, text: 'services: {a: {}}\n' }, version)
    assert.equal(readFileSync(stackFile, 'utf8'), 'services: {a: {}}\n')
    assert.equal(statSync(stackFile).mode & 0o777, 0o640)
    assert.equal(
      kindOf(() => writeText(of, { path: stackFile, text: 'x' }, version)),
      'conflict',
    )
    assert.equal(
      kindOf(() => writeText(of, { path: stackFile, text: 'x' }, undefined)),
      'conflict',
    )
    assert.equal(writeText(of, { path: stackFile, text: 'y' }, next.version).text, 'y')
    assert.deepEqual(
      listFiles(of)
        .map(({ name }) => name)
        .filter(name => name.startsWith('.')),
      [],
    )
  })

  test('writeText() makes a new .env for its owner alone, and nothing elsewhere', () => {
    const env = join(directory, '.env')
    writeText(of, { path: env, text: 'TOKEN=1\n' }, undefined)
    assert.equal(statSync(env).mode & 0o777, 0o600)
    for (const path of [join(top, 'new'), join(directory, 'up/new'), join(directory, 'link.txt'), '/tmp/x'])
      assert.equal(
        kindOf(() => writeText(of, { path, text: 'x' }, undefined)),
        'denied',
        path,
      )
    assert.equal(readFileSync(outside, 'utf8'), 'not for anybody')
  })
})
