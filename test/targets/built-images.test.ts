import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digestIn, withRegistry } from '../../src/targets/built-images.ts'
import { load } from '../stack/stacks.ts'

const names = async (registry: string) => {
  const yaml = `name: shop
${registry}
services:
  bare: {build: .}
  named: {build: ., image: me/app:2}
  placed: {build: ., image: other.example/app}
  pulled: {image: redis}
`
  const { services } = withRegistry((await load(yaml)).project)
  return Object.fromEntries(Object.entries(services).map(([key, { image }]) => [key, image]))
}

test('what is built is called by its registry; what is pulled, or names a registry, stays', async () => {
  assert.deepEqual(await names('x-registry: r.example:5000/team'), {
    bare: 'r.example:5000/team/shop-bare',
    named: 'r.example:5000/team/me/app:2',
    placed: 'other.example/app',
    pulled: 'redis',
  })
  assert.deepEqual(await names(''), {
    bare: undefined,
    named: 'me/app:2',
    placed: 'other.example/app',
    pulled: 'redis',
  })
})

test('the digest is that of this image and of no other', () => {
  assert.equal(digestIn('r.example/a@sha256:1', 'r.example/a'), 'sha256:1')
  assert.equal(digestIn('r.example/ab@sha256:1', 'r.example/a'), undefined)
  assert.equal(digestIn('r.example/a', 'r.example/a'), undefined)
  assert.equal(digestIn(undefined, 'r.example/a'), undefined)
})
