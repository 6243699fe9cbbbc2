import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { copyPart, shownLayers } from '../../../../src/engine/build/files/mount-source.ts'
import { lacking, root } from '../../../support/needs.ts'
import { folderOf, marks, shown } from './support.ts'

const signal = new AbortController().signal

describe('shownLayers()', { skip: lacking(root()) }, () => {
  test('hides what is ignored by one layer of whiteouts, with the folders as they are', t => {
    const context = folderOf(t, {
      a: 'a',
      'b.md': 'b',
      'd/': ['', '0711', '5:6'],
      'd/x.md': 'x',
      'd/y': 'y',
      'n/deep/z': 'z',
    })
    const mask = join(folderOf(t, {}), 'mask')
    const layers = shownLayers({ layers: [context], exclude: ['**/*.md', 'n', '!n/deep'] }, mask)
    assert.deepEqual(layers, [context, mask])
    assert.deepEqual(shown(layers), {
      '/a': '644 a',
      '/d/': '711 5:6',
      '/d/y': '644 y',
      '/n/': '755',
      '/n/deep/': '755',
      '/n/deep/z': '644 z',
    })
    assert.deepEqual(marks(mask), { '/b.md': 'whiteout', '/d/x.md': 'whiteout' })
  })

  test('needs no layer where nothing is ignored', t => {
    const context = folderOf(t, { a: 'a' })
    const mask = join(folderOf(t, {}), 'mask')
    assert.deepEqual(shownLayers({ layers: [context], exclude: [] }, mask), [context])
    assert.equal(existsSync(mask), false)
  })
})

describe('copyPart()', { skip: lacking(root()) }, () => {
  const source = { layers: [] as string[], exclude: ['*.md'] }

  test('copies what is in a folder, owners and links as they are', async t => {
    const from = folderOf(t, {
      'd/a': ['a', '0640', '5:6'],
      'd/l': '-> /etc/passwd',
      'd/e/f': 'f',
      link: '-> d',
      other: 'o',
    })
    const into = folderOf(t, {})
    await copyPart({ ...source, layers: [from] }, '/link', { into, signal })
    assert.deepEqual(shown([into]), { '/a': '640 5:6 a', '/e/': '755', '/e/f': '644 f', '/l': '-> /etc/passwd' })
  })

  test('refuses what is not there, or ignored', async t => {
    const from = folderOf(t, { 'a.md': 'a' })
    for (const path of ['/none', '/a.md'])
      await assert.rejects(copyPart({ ...source, layers: [from] }, path, { into: folderOf(t, {}), signal }), {
        kind: 'not-found',
      })
  })
})
