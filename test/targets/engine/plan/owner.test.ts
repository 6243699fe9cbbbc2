import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { labels } from '../../../../src/targets/engine/labels.ts'
import type { ObservedContainer } from '../../../../src/targets/engine/observed.ts'
import { otherFilesTest, otherOwner } from '../../../../src/targets/engine/plan/owner.ts'
import { orphanTest } from '../../../../src/targets/engine/plan/scope.ts'
import { nothing, project, service } from './project.ts'

const shop = project([service('web')], { disabledServices: { debug: service('debug') } })

function made(name: string, folder: string | undefined, files = `${folder}/compose.yaml`): ObservedContainer {
  return {
    id: name,
    name: `shop-${name}-1`,
    service: name,
    number: 1,
    oneOff: false,
    state: 'running',
    exitCode: undefined,
    health: undefined,
    image: 'busybox',
    imageId: 'sha256:1',
    labels: folder === undefined ? {} : { [labels.directory]: folder, [labels.files]: files },
    networkMode: 'shop_default',
    networks: {},
    volumes: [],
  }
}

describe('otherOwner()', () => {
  const owner = (containers: readonly ReturnType<typeof made>[], adopted?: string) =>
    otherOwner({ project: shop, observed: nothing({ containers }), adopted, same: (a, b) => a === b })

  for (const [what, containers, adopted, expected] of [
    ['nothing there', [], undefined, undefined],
    ['its own folder', [made('web', '/srv/shop')], undefined, undefined],
    ['another folder', [made('web', '/home/shop')], undefined, '/home/shop'],
    ['another folder, of a service that is not active here', [made('debug', '/home/shop')], undefined, '/home/shop'],
    ['another folder, of a service that is not in this stack', [made('db', '/home/shop')], undefined, undefined],
    ['both', [made('web', '/home/shop'), made('debug', '/srv/shop')], undefined, undefined],
    ['containers that do not say', [made('web', undefined)], undefined, undefined],
    ['another folder, taken over', [made('web', '/home/shop')], '/srv/shop', undefined],
    ['its own folder, taken over by another', [made('web', '/srv/shop')], '/new', '/new'],
    ['nothing there, though taken over by another', [], '/new', undefined],
  ] as const)
    test(`otherOwner() is ${expected} with ${what}`, () => assert.equal(owner(containers, adopted), expected))

  test('otherOwner() takes two paths of one folder for one', () => {
    const observed = nothing({ containers: [made('web', '/link')] })
    assert.equal(otherOwner({ project: shop, observed, adopted: undefined, same: () => true }), undefined)
  })
})

describe('otherFilesTest()', () => {
  const old = '/srv/shop/old.yaml'
  for (const [what, files, own, expected] of [
    ['the same file', '/srv/shop/compose.yaml', {}, false],
    ['the same file and one more', '/srv/shop/compose.yaml,/srv/shop/more.yaml', {}, false],
    ['other files', '/srv/shop/other.yaml', {}, true],
    ['other files that are gone', old, { filesGone: true }, false],
    [
      'other files, by which a service of the stack was made too',
      old,
      { beside: made('web', '/srv/shop', old) },
      false,
    ],
    ['no files', '', {}, false],
  ] as const)
    test(`otherFilesTest() is ${expected} for ${what}, which then is ${expected ? 'no' : 'an'} orphan`, () => {
      const { beside, ...rest }: { beside?: ObservedContainer; filesGone?: boolean } = own
      const found = { ...made('db', '/srv/shop', files), ...rest }
      const observed = nothing({ containers: [found, ...(beside ? [beside] : [])] })
      assert.equal(otherFilesTest(shop, observed)(found), expected)
      assert.equal(orphanTest(shop, observed)(found), !expected)
    })

  for (const [state, expected] of [
    ['running', false],
    ['exited', true],
  ] as const)
    test(`what run has left of other files is ${expected ? 'an' : 'no'} orphan when it is ${state}`, () => {
      const found: ObservedContainer = { ...made('db', '/srv/shop', '/srv/shop/other.yaml'), oneOff: true, state }
      assert.equal(orphanTest(shop, nothing({ containers: [found] }))(found), expected)
    })
})
