import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Service } from '../../../../src/model/service.ts'
import { containerName, imageName, oneOffName } from '../../../../src/targets/engine/plan/names.ts'

test('names are joined by the separator of the project: "-", or "_" with --compatibility', () => {
  const web = { name: 'web', build: {} } as Service
  const names = (separator: '-' | '_') => {
    const project = { name: 'shop', separator }
    return [containerName(project, web, 2), oneOffName(project, 'web', '0123456789abcdef'), imageName(project, web)]
  }
  assert.deepEqual(names('-'), ['shop-web-2', 'shop-web-run-0123456789ab', 'shop-web'])
  assert.deepEqual(names('_'), ['shop_web_2', 'shop_web_run_0123456789ab', 'shop_web'])
  assert.equal(containerName({ name: 'shop', separator: '_' }, { ...web, containerName: 'own' }, 1), 'own')
})
