import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseRoute, pathOf, tabs } from '../../src/web/pages/route.ts'

describe('parseRoute()', () => {
  test('reads what pathOf() writes', () => {
    for (const stack of ['shop', 'a b', 'ü/é?#%', '..'])
      for (const tab of tabs)
        for (const query of [{}, { services: 'web', grep: 'a&b=c' }] as Record<string, string>[]) {
          const [path, search] = pathOf(stack, tab, query).split('?') as [string, string?]
          assert.deepEqual(parseRoute(path, search ?? ''), { page: 'stack', stack, tab, query })
        }
  })

  test('takes a slash at the end for none', () => {
    assert.deepEqual(parseRoute('/s/shop/'), parseRoute('/s/shop'))
    assert.deepEqual(parseRoute('/s/shop/logs/'), parseRoute('/s/shop/logs'))
  })

  test('takes the first page for what is none of ours', () => {
    for (const path of ['/', '', '/x', '/s', '/s/', '/s/shop/none', '/s/shop/logs/more', '/s/%ff'])
      assert.deepEqual(parseRoute(path), { page: 'home' })
  })
})
