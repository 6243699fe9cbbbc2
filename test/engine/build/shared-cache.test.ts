/** A cache that builders hand on: by a folder, by a registry. */
import assert from 'node:assert/strict'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { lacking } from '../../support/needs.ts'
import { hasRegistry, startRegistry } from '../../support/registry.ts'
import { at, Box, touch } from './builder-box.ts'

describe('a cache that is handed on', () => {
  test('takes steps from the cache that another engine has put into a folder', async t => {
    const [here, there] = [await Box.open(t), await Box.open(t)]
    here.run = there.run = touch
    const folder = join(here.paths.roots.data, 'exported')
    const dockerfile =
      'FROM base:1 AS one\nRUN ["touch", "x"]\nRUN true\nFROM base:1\nCOPY --from=one /x /y\nRUN ["touch", "z"]\n'
    const first = await here.build(dockerfile, { cacheTo: at('local', { dest: folder, mode: 'max' }) })
    const second = await there.build(dockerfile, { cacheFrom: at('local', { src: folder }) })
    assert.deepEqual(second.missed, {})
    assert.deepEqual(there.commands, [])
    assert.equal(second.image.id, first.image.id)
    assert.ok(existsSync(join(there.images.layers(second.image).at(-1)!, 'z')))
    // it is its own from now on
    rmSync(folder, { recursive: true })
    assert.deepEqual((await there.build(dockerfile)).missed, {})
  })

  for (const type of ['registry', 'inline'])
    test(`takes steps from the cache that another engine has sent to a registry: ${type}`, {
      skip: lacking(!hasRegistry && 'the program "docker-registry"'),
    }, async t => {
      await using registry = await startRegistry()
      const [here, there] = [await Box.open(t), await Box.open(t)]
      here.run = there.run = touch
      const ref = `${registry.host}/made:cache`
      const dockerfile = 'FROM base:1\nRUN ["touch", "x"]\nRUN true\n'
      const cacheTo = type === 'inline' ? at('inline', {}) : at('registry', { ref })
      const first = await here.build(dockerfile, { tags: [type === 'inline' ? ref : 'made:1'], cacheTo })
      if (type === 'inline') await here.images.push(`${registry.host}/made`, 'cache')
      else assert.equal(here.images.list().length, 2)
      const second = await there.build(dockerfile, { cacheFrom: at('registry', { ref }) })
      assert.deepEqual(second.missed, {})
      assert.deepEqual(second.image.diffIds, first.image.diffIds)
      assert.ok(existsSync(join(there.images.layers(second.image)[1]!, 'x')))
    })

  test('does without a cache that is not there, and says so', async t => {
    const box = await Box.open(t)
    const { events } = await box.build('FROM base:1\nRUN true\n', {
      cacheFrom: at('local', { src: '/nowhere/at/all' }),
    })
    const step = events.find(
      event => event.kind === 'step' && event.name === 'importing cache manifest from /nowhere/at/all',
    )
    assert.ok(step?.kind === 'step')
    const end = events.find(event => event.kind === 'completed' && event.id === step.id)
    assert.match(end?.kind === 'completed' ? (end.error ?? '') : '', /ENOENT/)
  })

  test('refuses a place for its cache that it does not know', async t => {
    const box = await Box.open(t)
    await assert.rejects(box.build('FROM base:1\n', { cacheTo: at('gha', {}) }), /type "gha"/)
    await assert.rejects(box.build('FROM base:1\n', { cacheTo: at('local', { dest: 'x' }) }), /"x": it is not absolute/)
  })
})
