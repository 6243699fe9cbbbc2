import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { makeWorkdir } from '../../../../src/engine/build/files/workdir.ts'
import { lacking, root } from '../../../support/needs.ts'
import { folderOf, shown, type Tree } from './support.ts'

const base: Tree = {
  'etc/passwd': 'root:x:0:0::/:\nwww:x:33:33::/:\napp:x:1000:1000::/:\n',
  'etc/group': 'www:x:33:\n',
  'opt/lower/sub/': '',
  'opt/file': 'f',
  'opt/link': '-> lower',
  'opt/dangle': '-> ../gone',
}

const cases: readonly (readonly [path: string, user: string, made: Record<string, string>])[] = [
  ['/n/m', '', { '/n/': '755', '/n/m/': '755' }],
  ['/n/m', 'app', { '/n/': '755 1000:1000', '/n/m/': '755 1000:1000' }],
  ['/n', 'app:www', { '/n/': '755 1000:33' }],
  ['/n', ':33', { '/n/': '755 0:33' }],
  ['/n', 'ghost', { '/n/': '755' }],
  ['/n', '4321', { '/n/': '755 4321:4321' }],
  ['/opt/link/new', 'app', { '/opt/lower/new/': '755 1000:1000' }],
  ['/opt/dangle/x', 'app', { '/gone/': '755 1000:1000', '/gone/x/': '755 1000:1000' }],
  ['/opt/lower/sub', 'app', {}],
  ['/home/../opt/link/', 'app', {}],
  ['/', 'app', {}],
]

describe('makeWorkdir()', { skip: lacking(root()) }, () => {
  for (const [path, user, made] of cases)
    test(`makes ${Object.keys(made).join(' and ') || 'nothing'} for ${path} and user "${user}"`, t => {
      const below = [folderOf(t, base)]
      const upper = folderOf(t, {})
      assert.equal(makeWorkdir({ path, user }, { below, upper }), Object.keys(made).length > 0)
      assert.deepEqual(shown([...below, upper], below), made)
      if (Object.keys(made).length === 0) assert.deepEqual(shown([upper]), {})
    })

  test('refuses a way through a file', t => {
    const below = [folderOf(t, base)]
    for (const path of ['/opt/file', '/opt/file/x'])
      assert.throws(() => makeWorkdir({ path, user: '' }, { below, upper: folderOf(t, {}) }), {
        message: /opt\/file: not a directory/,
      })
  })

  test('needs no user when there is nothing to make, and refuses a name on scratch otherwise', t => {
    const upper = folderOf(t, {})
    assert.equal(makeWorkdir({ path: '/', user: 'app' }, { below: [], upper }), false)
    assert.throws(() => makeWorkdir({ path: '/x', user: 'app' }, { below: [], upper }), { kind: 'invalid' })
  })
})
