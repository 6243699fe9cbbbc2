import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isFailure } from '../../src/lib/failure.ts'
import { engineFolder, projectFolder } from '../../src/state/folder.ts'

const host = 'unix:///run/tscompose/engine.sock'

describe('engineFolder()', () => {
  for (const [who, uid, env, root] of [
    ['root', 0, { HOME: '/root' }, '/var/lib/tscompose/stacks'],
    ['root with XDG_STATE_HOME', 0, { XDG_STATE_HOME: '/x' }, '/var/lib/tscompose/stacks'],
    ['a user', 1000, { HOME: '/home/a' }, '/home/a/.local/state/tscompose/stacks'],
    ['a user with XDG_STATE_HOME', 1000, { HOME: '/home/a', XDG_STATE_HOME: '/s' }, '/s/tscompose/stacks'],
    [
      'a relative XDG_STATE_HOME',
      1000,
      { HOME: '/home/a', XDG_STATE_HOME: 's' },
      '/home/a/.local/state/tscompose/stacks',
    ],
    ['TSCOMPOSE_STATE', 0, { TSCOMPOSE_STATE: '/t' }, '/t'],
  ] as const)
    test(`engineFolder() is below ${root} for ${who}`, () => {
      assert.match(engineFolder({ host, env, uid }).slice(root.length), /^\/[0-9a-f]{12}$/)
      assert.ok(engineFolder({ host, env, uid }).startsWith(root))
    })

  test('engineFolder() is another for another engine', () => {
    const env = { TSCOMPOSE_STATE: '/t' }
    assert.notEqual(engineFolder({ host, env }), engineFolder({ host: 'unix:///run/docker.sock', env }))
  })

  test('engineFolder() refuses a relative TSCOMPOSE_STATE and a user without a home', () => {
    for (const env of [{ TSCOMPOSE_STATE: 't' }, {}])
      assert.throws(
        () => engineFolder({ host, env, uid: 1000 }),
        error => isFailure(error, 'invalid'),
      )
  })
})

describe('projectFolder()', () => {
  test('projectFolder() is a folder of the engine with the name of the project', () => {
    const of = { host, env: { TSCOMPOSE_STATE: '/t' } }
    assert.equal(projectFolder('shop', of), `${engineFolder(of)}/shop`)
  })

  for (const name of ['..', '.', '', 'a/b', '../a', 'a\0b', '-a', 'a'.repeat(201)])
    test(`projectFolder() refuses ${JSON.stringify(name.slice(0, 10))}`, () => {
      assert.throws(
        () => projectFolder(name, { host, env: { TSCOMPOSE_STATE: '/t' } }),
        error => isFailure(error, 'invalid'),
      )
    })
})
