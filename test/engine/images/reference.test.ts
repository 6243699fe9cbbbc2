import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  familiar,
  familiarName,
  fullName,
  newName,
  normalName,
  parseReference,
  repositoryName,
} from '../../../src/engine/images/reference.ts'

const digest = `sha256:${'a'.repeat(64)}` as const

describe('parseReference()', () => {
  const good: ReadonlyArray<readonly [string, string, string, string | undefined]> = [
    ['busybox', 'docker.io', 'library/busybox', 'latest'],
    ['busybox:1.36', 'docker.io', 'library/busybox', '1.36'],
    ['user/app', 'docker.io', 'user/app', 'latest'],
    ['docker.io/busybox', 'docker.io', 'library/busybox', 'latest'],
    ['index.docker.io/library/busybox', 'docker.io', 'library/busybox', 'latest'],
    ['127.0.0.1:5000/app', '127.0.0.1:5000', 'app', 'latest'],
    ['localhost/app:2', 'localhost', 'app', '2'],
    ['localhost:5000/a/b/c:v1.2-x_y', 'localhost:5000', 'a/b/c', 'v1.2-x_y'],
    ['[::1]:5000/app', '[::1]:5000', 'app', 'latest'],
    ['Registry/app', 'Registry', 'app', 'latest'],
    ['example.com/a__b/c-d--e.f', 'example.com', 'a__b/c-d--e.f', 'latest'],
    [`app@${digest}`, 'docker.io', 'library/app', undefined],
    [`example.com/app:1@${digest}`, 'example.com', 'app', '1'],
  ]
  for (const [text, domain, path, tag] of good)
    test(`completes ${text}`, () => {
      const reference = parseReference(text)
      assert.deepEqual([reference.domain, reference.path, reference.tag], [domain, path, tag])
      assert.equal(reference.digest, text.includes('@') ? digest : undefined)
    })

  const bad: ReadonlyArray<readonly [string, string]> = [
    ['Busybox', 'invalid reference format: repository name (library/Busybox) must be lowercase'],
    ['127.0.0.1:5000/App:1', 'invalid reference format: repository name (App) must be lowercase'],
    ['', 'invalid reference format'],
    ['a..b', 'invalid reference format'],
    ['../a', 'invalid reference format'],
    ['a/../b', 'invalid reference format'],
    ['a//b', 'invalid reference format'],
    ['-a', 'invalid reference format'],
    ['a b', 'invalid reference format'],
    ['a:', 'invalid reference format'],
    ['a:b:c', 'invalid reference format'],
    [`a:${'t'.repeat(129)}`, 'invalid reference format'],
    ['a@sha256:short', 'invalid reference format'],
    [`a@sha256:../../${'a'.repeat(58)}`, 'invalid reference format'],
    [`a/${'b'.repeat(254)}`, 'repository name must not be more than 255 characters'],
    ['a'.repeat(64), `invalid repository name (${'a'.repeat(64)}), cannot specify 64-byte hexadecimal strings`],
  ]
  for (const [text, message] of bad)
    test(`refuses ${JSON.stringify(text.slice(0, 60))} in Docker's words`, () => {
      assert.throws(() => parseReference(text), { kind: 'invalid', message })
    })
})

test('familiar() leaves out what a reader would not write', () => {
  assert.equal(familiar(parseReference('docker.io/library/busybox')), 'busybox:latest')
  assert.equal(familiar(parseReference('docker.io/user/app:1')), 'user/app:1')
  assert.equal(familiar(parseReference('127.0.0.1:5000/app')), '127.0.0.1:5000/app:latest')
  assert.equal(familiarName(parseReference(`example.com/app@${digest}`)), 'example.com/app')
})

test('fullName() leaves out nothing', () => {
  assert.equal(fullName(parseReference('busybox')), 'docker.io/library/busybox:latest')
  assert.equal(fullName(parseReference(`example.com/app:1@${digest}`)), `example.com/app:1@${digest}`)
})

test('repositoryName() is that of a name without tag and digest', () => {
  const names = ['docker.io/library/busybox', 'localhost:5000/app', 'busybox:1', `app@${digest}`, 'Not A Name']
  assert.deepEqual(names.map(repositoryName), ['busybox', 'localhost:5000/app', undefined, undefined, undefined])
})

test('normalName() completes a name, and leaves what is none', () => {
  const id = 'a'.repeat(64)
  assert.deepEqual(['docker.io/busybox', 'app:1', id, ''].map(normalName), ['busybox:latest', 'app:1', id, ''])
})

describe('newName()', () => {
  test('puts name and tag together', () => {
    assert.deepEqual(
      [newName(undefined, '1'), newName('', '1'), newName('app', '2'), newName('app:1', '2'), newName('app:1', '')],
      [undefined, undefined, 'app:2', 'app:2', 'app:1'],
    )
    assert.equal(newName('docker.io/library/app', undefined), 'app:latest')
  })

  for (const [repo, tag, message] of [
    [`app@${digest}`, undefined, 'cannot import digest reference'],
    ['app', 'a b', 'invalid tag format'],
    ['sha256', '1', 'refusing to create an ambiguous tag using digest algorithm as name'],
    ['App', '1', 'invalid reference format: repository name (library/App) must be lowercase'],
  ] as const)
    test(`refuses ${repo.slice(0, 20)} ${tag}`, () =>
      assert.throws(() => newName(repo, tag), { kind: 'invalid', message }))
})
