/** Builds with commands that a test plays: what is made, what is taken from the cache, and what is left when it fails. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { BuildFailure } from '../../../src/engine/build/build-failure.ts'
import { folderClient } from '../../../src/engine/build/classic/classic-context.ts'
import { formatPlatform, machine } from '../../../src/engine/images/platform.ts'
import { isFailure, messageOf } from '../../../src/lib/failure.ts'
import { Box, request, touch } from './builder-box.ts'

describe('a build', () => {
  test('makes a layer of what a command has written, and a document with its history', async t => {
    const box = await Box.open(t)
    box.run = touch
    const { image } = await box.build('FROM base:1\nENV A=1\nRUN ["touch", "x"]\nLABEL l=m\nCMD ["run"]\n', {
      labels: new Map([['n', 'o']]),
    })
    assert.deepEqual(image.tags, ['made:1'])
    assert.equal(image.diffIds.length, 2)
    assert.equal(readFileSync(join(box.images.layers(image)[1]!, 'x'), 'utf8'), 'made\n')
    assert.deepEqual(image.config.Cmd, ['run'])
    assert.deepEqual(image.config.Labels, { l: 'm', n: 'o' })
    assert.deepEqual(
      image.history.map(({ empty_layer }) => empty_layer ?? false),
      [false, true, false, true, true],
    )
    const [command] = box.commands
    assert.ok(command!.env.includes('A=1'))
    assert.deepEqual(readdirSync(box.paths.buildTemp), [])
  })

  test('of nothing new takes every step from the cache, and is the same image', async t => {
    const box = await Box.open(t)
    box.run = touch
    box.write('a.txt', 'one')
    const dockerfile = 'FROM base:1\nWORKDIR /w\nCOPY a.txt /\nRUN ["touch", "x"]\n'
    const first = await box.build(dockerfile)
    assert.deepEqual(Object.values(first.missed), ['never built', 'never built', 'never built'])
    const second = await box.build(dockerfile)
    assert.equal(second.image.id, first.image.id)
    assert.deepEqual(second.missed, {})
    assert.deepEqual(box.commands, [])
    await box.boot()
    const third = await box.build(dockerfile)
    assert.equal(third.image.id, first.image.id)
    assert.deepEqual(box.commands, [])
  })

  test('says why a step is made again, and makes none that need not be', async t => {
    const box = await Box.open(t)
    box.run = touch
    box.write('a.txt', 'one')
    const dockerfile = 'FROM base:1\nARG V=1\nRUN ["touch", "x"]\nCOPY a.txt /\nRUN ["touch", "y"]\n'
    await box.build(dockerfile)
    box.write('a.txt', 'two')
    const changed = await box.build(dockerfile)
    assert.deepEqual(changed.missed, {
      'COPY a.txt /': 'a.txt changed',
      'RUN ["touch", "y"]': 'the step before changed',
    })
    const argued = await box.build(dockerfile, { args: new Map([['V', '2']]) })
    assert.deepEqual(argued.missed, { 'RUN ["touch", "x"]': 'ARG V: 1 → 2', 'RUN ["touch", "y"]': 'ARG V: 1 → 2' })
    const fresh = await box.build(dockerfile, { noCache: true, args: new Map([['V', '2']]) })
    assert.deepEqual(new Set(Object.values(fresh.missed)), new Set(['no cache was asked for']))
  })

  test('forgets no cache of the stages that were not named', async t => {
    const box = await Box.open(t)
    box.run = touch
    const dockerfile =
      'FROM base:1 AS one\nRUN ["touch", "x"]\nFROM base:1 AS two\nRUN ["touch", "y"]\nCOPY --from=one /x /x\n'
    await box.build(dockerfile)
    const { missed } = await box.build(dockerfile, { noCache: ['ONE'] })
    assert.deepEqual(missed, { 'RUN ["touch", "x"]': 'no cache was asked for' })
  })

  test('runs stages side by side that need not wait for each other', async t => {
    const box = await Box.open(t)
    const both = Promise.withResolvers<void>()
    let running = 0
    box.run = async command => {
      if (++running === 2) both.resolve()
      await both.promise
      return await touch(command)
    }
    const { image } = await box.build(
      'FROM base:1 AS a\nRUN ["touch", "a"]\nFROM base:1 AS b\nRUN ["touch", "b"]\nFROM base:1\nCOPY --from=a /a /\nCOPY --from=b /b /\n',
    )
    assert.equal(image.diffIds.length, 3)
  })

  test('whose command fails says which, with its lines and code, and leaves nothing', async t => {
    const box = await Box.open(t)
    box.run = async ({ onOutput }) => {
      onOutput('stderr', Buffer.from('no such thing\n'))
      return 7
    }
    await assert.rejects(box.build('FROM base:1\nRUN make it\n'), (error: unknown) => {
      assert.ok(error instanceof BuildFailure)
      assert.equal(error.message, 'process "/bin/sh -c make it" did not complete successfully: exit code: 7')
      assert.deepEqual(error.lines, { first: 2, last: 2 })
      assert.equal(error.exitCode, 7)
      return true
    })
    assert.deepEqual(readdirSync(box.paths.buildTemp), [])
    assert.equal(box.images.find('made:1'), undefined)
  })

  test('ends the other stages when one fails', async t => {
    const box = await Box.open(t)
    const waiting = Promise.withResolvers<void>()
    let aborted = false
    box.run = async ({ args, signal }) => {
      if (args.at(-1) === 'fail') {
        await waiting.promise
        return 1
      }
      waiting.resolve()
      await new Promise(resolve => signal.addEventListener('abort', resolve))
      aborted = true
      throw signal.reason
    }
    await assert.rejects(
      box.build('FROM base:1 AS a\nRUN ["fail"]\nFROM base:1\nRUN ["wait"]\nCOPY --from=a / /\n'),
      /exit code: 1/,
    )
    assert.ok(aborted)
  })

  test('that nobody waits for any more ends its command', async t => {
    const box = await Box.open(t)
    const stop = new AbortController()
    box.run = async ({ signal }) => {
      stop.abort()
      await new Promise(resolve => (signal.aborted ? resolve(0) : signal.addEventListener('abort', resolve)))
      throw signal.reason
    }
    await assert.rejects(box.build('FROM base:1\nRUN wait\n', {}, stop.signal), error => isFailure(error, 'cancelled'))
    assert.deepEqual(readdirSync(box.paths.buildTemp), [])
    assert.deepEqual(box.cache.list(), [])
  })

  test('that two ask for at once runs once, and goes on when the first has left', async t => {
    const box = await Box.open(t)
    const release = Promise.withResolvers<void>()
    const started = Promise.withResolvers<void>()
    box.run = async command => {
      started.resolve()
      await release.promise
      return await touch(command)
    }
    const dockerfile = 'FROM base:1\nRUN ["touch", "x"]\n'
    const stop = new AbortController()
    const first = box.build(dockerfile, { tags: ['first:1'] }, stop.signal)
    await started.promise
    const joined = Promise.withResolvers<void>()
    box.write('Dockerfile', dockerfile)
    const second = box.builder.build(
      { ...request, tags: ['second:1'], client: folderClient(box.context, () => undefined) },
      event => event.kind === 'missed' && joined.resolve(),
      new AbortController().signal,
    )
    await joined.promise
    await new Promise(resolve => setImmediate(resolve))
    stop.abort()
    await assert.rejects(first, error => isFailure(error, 'cancelled'))
    release.resolve()
    assert.deepEqual((await second).tags, ['second:1'])
    assert.equal(box.commands.length, 1)
  })

  test('with SOURCE_DATE_EPOCH has no other time in what it adds', async t => {
    const box = await Box.open(t)
    const args = new Map([['SOURCE_DATE_EPOCH', '86400']])
    const { image } = await box.build('FROM base:1\nRUN true\nENV A=1\n', { args })
    assert.equal(image.created.toISOString(), '1970-01-02T00:00:00.000Z')
    assert.deepEqual(
      image.history.map(({ created }) => created!.slice(0, 10)),
      ['2026-01-01', '1970-01-02', '1970-01-02'],
    )
    await assert.rejects(
      box.build('FROM base:1\n', { args: new Map([['SOURCE_DATE_EPOCH', 'now']]) }),
      /invalid SOURCE_DATE_EPOCH: now/,
    )
  })

  test('without an effect has no layer', async t => {
    const box = await Box.open(t)
    const { image } = await box.build('FROM base:1\nRUN true\n')
    assert.equal(image.diffIds.length, 1)
    assert.equal(image.history.at(-1)!.empty_layer, true)
  })

  test('keeps its layers in the cache when the image is gone, until that is cleared away', async t => {
    const box = await Box.open(t)
    box.run = touch
    const dockerfile = 'FROM base:1\nRUN ["touch", "x"]\n'
    const { image } = await box.build(dockerfile)
    const root = box.images.layers(image).at(-1)!
    await box.images.remove('made:1', { usedBy: () => [] })
    assert.ok(existsSync(root))
    await box.boot()
    assert.ok(existsSync(root))
    const { missed } = await box.build(dockerfile)
    assert.deepEqual(missed, {})
    assert.deepEqual(await box.builder.usage.prune({ all: false, filters: {} }), { deleted: [], reclaimed: 0 })
    await box.images.remove('made:1', { usedBy: () => [] })
    const { deleted, reclaimed } = await box.builder.usage.prune({ all: false, filters: {} })
    assert.equal(deleted.length, 1)
    assert.equal(reclaimed, 5)
    assert.ok(!existsSync(root))
    const again = await box.build(dockerfile)
    assert.deepEqual(again.missed, { 'RUN ["touch", "x"]': 'its result is no longer in the cache' })
  })

  test('whose layer was lost makes it again', async t => {
    const box = await Box.open(t)
    box.run = touch
    const dockerfile = 'FROM base:1\nRUN ["touch", "x"]\n'
    const { image } = await box.build(dockerfile)
    rmSync(join(box.images.layers(image).at(-1)!, '..'), { recursive: true })
    const again = await box.build(dockerfile)
    assert.equal(box.commands.length, 1)
    assert.ok(existsSync(join(box.images.layers(again.image).at(-1)!, 'x')))
  })

  test('needs to be allowed the network of the host', async t => {
    const box = await Box.open(t)
    await assert.rejects(box.build('FROM base:1\nRUN --network=host true\n'), /network\.host is not allowed/)
    await box.build('FROM base:1\nRUN --network=host true\n', { entitlements: new Set(['network.host']) })
    assert.equal(box.commands[0]!.network, 'host')
  })

  test('for another platform is refused by its name before anything is fetched', async t => {
    const box = await Box.open(t)
    // whoever asked that registry would say that nobody is there
    const dockerfile = 'FROM 127.0.0.1:1/none\n'
    const refused = { kind: 'unsupported', message: /^Cannot build for platform "linux\/(mips64|sparc)": this machine/ }
    await assert.rejects(box.build(dockerfile, { platform: 'linux/mips64' }), refused)
    await assert.rejects(box.build(dockerfile.replace('FROM', 'FROM --platform=linux/sparc')), error => {
      assert.match(messageOf(error), /Cannot build for platform "linux\/sparc"/)
      return true
    })
    await box.build('FROM base:1\n', { platform: formatPlatform(machine()) })
  })

  test('that is for its client alone leaves no image once that is done with it, unless another wants it too', async t => {
    const box = await Box.open(t)
    const loose = { loose: true, tags: [] }
    const dockerfile = 'FROM base:1\nENV A=1\n'
    const { image } = await box.build(dockerfile, loose)
    await box.build(dockerfile, loose)
    await box.images.letGo(image)
    assert.ok(box.images.find(image.id))
    await box.images.letGo(image)
    assert.equal(box.images.find(image.id), undefined)
    await box.build(dockerfile, loose)
    await box.build(dockerfile, { tags: [] })
    await box.images.letGo(image)
    assert.ok(box.images.find(image.id))
    await box.build(dockerfile, loose)
    await box.images.letGo(image)
    assert.ok(box.images.find(image.id))
    assert.ok(box.images.find('base:1'))
  })

  test('that took all from what another had made says next time what has changed since', async t => {
    const box = await Box.open(t)
    box.write('a.txt', 'one')
    const dockerfile = 'FROM base:1\nCOPY a.txt /\n'
    await box.build(dockerfile, { tags: ['one:1'] })
    assert.deepEqual((await box.build(dockerfile, { tags: ['two:1'] })).missed, {})
    box.write('a.txt', 'two')
    assert.deepEqual((await box.build(dockerfile, { tags: ['two:1'] })).missed, { 'COPY a.txt /': 'a.txt changed' })
  })

  test('keeps the layers it relies on while the cache is cleared away, be they from the cache or just made', async t => {
    const box = await Box.open(t)
    box.run = touch
    const dockerfile = 'FROM base:1\nRUN ["touch", "a"]\n'
    await box.build(dockerfile)
    await box.images.remove('made:1', { usedBy: () => [] })
    box.run = async command => {
      await box.builder.usage.prune({ all: true, filters: {} })
      return await touch(command)
    }
    const { image, missed } = await box.build(`${dockerfile}RUN ["touch", "b"]\nRUN ["touch", "c"]\n`)
    assert.deepEqual(Object.keys(missed), ['RUN ["touch", "b"]', 'RUN ["touch", "c"]'])
    const [, ...made] = box.images.layers(image)
    assert.deepEqual(
      made.map(layer => readdirSync(layer)),
      [['a'], ['b'], ['c']],
    )
  })
})
