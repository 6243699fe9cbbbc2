import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { ImageUser } from '../../../src/engine/images/removal.ts'
import { tinyImageTar, tinyParts } from '../../support/tiny-image.ts'
import { inventory, nobody, nothing, of, skip, store } from './images-box.ts'

describe('get()', { skip }, () => {
  test('finds by id, by name and by unique prefix, in that order', async t => {
    const { images } = await store(t)
    await images.load(of(await tinyImageTar({ tag: 'app:latest' })))
    const image = images.get('app')
    for (const reference of [
      image.id,
      image.id.slice(7),
      image.id.slice(7, 19),
      image.id.slice(0, 20),
      'docker.io/library/app:latest',
    ])
      assert.equal(images.get(reference).id, image.id, reference)
    await images.tag('app', image.id.slice(7, 10))
    assert.equal(images.get(image.id.slice(7, 10)).id, image.id)
  })

  test('says what is missing in Docker’s words', async t => {
    const { images } = await store(t)
    assert.throws(() => images.get('nosuch'), { kind: 'not-found', message: 'No such image: nosuch:latest' })
    assert.throws(() => images.get('127.0.0.1:5000/a:b'), { message: 'No such image: 127.0.0.1:5000/a:b' })
  })
})

describe('remove()', { skip }, () => {
  const user = (running: boolean): ImageUser => ({ id: 'f'.repeat(64), name: 'web', running })

  test('takes one of two names, and the image with its layers when the last one goes', async t => {
    const { images, paths } = await store(t)
    await images.load(of(await tinyImageTar({ tag: 'app:1', layers: [{ a: '' }, { b: '' }] })))
    await images.tag('app:1', 'other')
    const { id } = images.get('app:1')
    assert.deepEqual(await images.remove('app:1', nobody), [{ Untagged: 'app:1' }])
    const removed = await images.remove('other', nobody)
    assert.deepEqual(removed.slice(0, 2), [{ Untagged: 'other:latest' }, { Deleted: id }])
    assert.equal(removed.length, 4)
    assert.deepEqual(inventory(paths), nothing)
  })

  test('keeps layers that another image has', async t => {
    const { images, again } = await store(t)
    await images.load(of(await tinyImageTar({ tag: 'a:1', layers: [{ base: '' }, { a: '' }] })))
    await images.load(of(await tinyImageTar({ tag: 'b:1', layers: [{ base: '' }, { b: '' }] })))
    await images.remove('a:1', nobody)
    for (const one of [images, await again()])
      for (const layer of one.layers(one.get('b:1'))) assert.ok(existsSync(layer))
  })

  test('refuses what a container uses, in Docker’s words', async t => {
    const { images } = await store(t)
    await images.load(of(await tinyImageTar({ tag: 'app:1' })))
    const id = images.get('app:1').id
    const short = id.slice(7, 19)
    const refused = (reference: string, running: boolean, force: boolean, message: string) =>
      assert.rejects(images.remove(reference, { force, usedBy: () => [user(running)] }), { kind: 'conflict', message })
    await refused(
      'app:1',
      false,
      false,
      `conflict: unable to remove repository reference "app:1" (must force) - container ffffffffffff is using its referenced image ${short}`,
    )
    await refused(
      id,
      false,
      false,
      `conflict: unable to delete ${short} (must be forced) - image is being used by stopped container ffffffffffff`,
    )
    await refused(
      id,
      true,
      true,
      `conflict: unable to delete ${short} (cannot be forced) - image is being used by running container ffffffffffff`,
    )
    assert.ok(images.find('app:1'))
    await images.remove('app:1', { force: true, usedBy: () => [user(true)] })
    assert.deepEqual(images.get(id).tags, [])
  })

  test('by id refuses an image of several repositories unless forced', async t => {
    const { images } = await store(t)
    await images.load(of(await tinyImageTar({ tag: 'app:1' })))
    await images.tag('app:1', 'other:1')
    const { id } = images.get('app:1')
    await assert.rejects(images.remove(id, nobody), /must be forced\) - image is referenced in multiple repositories/)
    await images.remove(id, { ...nobody, force: true })
    assert.deepEqual(images.list(), [])
  })
})

test('open() throws away what a killed engine had begun', { skip }, async t => {
  const { images, paths, again } = await store(t)
  await images.load(of(await tinyImageTar({ tag: 'app:1' })))
  const before = inventory(paths)
  mkdirSync(join(paths.imageTemp, 'half', 'root'), { recursive: true })
  mkdirSync(join(paths.layer('e'.repeat(64)), 'root'), { recursive: true })
  writeFileSync(paths.blob('e'.repeat(64)), 'orphan')
  await again()
  assert.deepEqual(inventory(paths), before)
})

test('a kernel mounts the layers of an image as overlay', { skip }, async t => {
  const { images } = await store(t)
  await images.load(
    of(
      await tinyImageTar({
        tag: 'app:1',
        layers: [
          { 'd/': '', 'd/old': '', gone: '', kept: '' },
          { '.wh.gone': '', 'd/.wh..wh..opq': '', 'd/new': '' },
        ],
      }),
    ),
  )
  const lower = [...images.layers(images.get('app:1'))].reverse().join(':')
  const script = `mount -t tmpfs none /mnt && mkdir /mnt/m && mount -t overlay none -o lowerdir=${lower} /mnt/m && cd /mnt/m && find . | sort`
  const seen = execFileSync('unshare', ['-m', 'sh', '-c', script], { encoding: 'utf8' })
  assert.deepEqual(seen.trim().split('\n'), ['.', './d', './d/new', './kept'])
})

test('prune() counts the layers that went, and leaves what is used', { skip }, async t => {
  const { images } = await store(t)
  await images.load(of(await tinyImageTar({ tag: 'app:1', layers: [{ a: 'shared' }, { b: 'own content' }] })))
  await images.load(of(await tinyImageTar({ tag: 'app:1', layers: [{ a: 'shared' }] })))
  const dangling = { dangling: true, until: Infinity }
  const used = () => [{ id: 'c', name: 'c', running: false }]
  assert.deepEqual(await images.prune(dangling, used), { removed: [], reclaimed: 0 })
  const { removed, reclaimed } = await images.prune(dangling, () => [])
  assert.deepEqual([removed.length, reclaimed], [2, 'own content'.length])
  assert.equal((await images.prune({ dangling: false, until: 0 }, () => [])).removed.length, 0)
  assert.equal((await images.prune({ dangling: false, until: Infinity }, () => [])).removed.length, 3)
})

test('what a first pull had brought when the engine was killed is no image at the next start', { skip }, async t => {
  const { again, paths } = await store(t)
  const { id, config } = await tinyParts({ files: { a: 'x' } })
  // its configuration is stored before its layers
  writeFileSync(join(paths.images, 'blobs/sha256', id.slice(7)), config)
  const next = await again()
  assert.deepEqual(next.list(), [])
  assert.deepEqual(inventory(paths), nothing)
})
