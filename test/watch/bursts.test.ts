import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Bursts } from '../../src/watch/bursts.ts'

const settled = () => new Promise<void>(resolve => setImmediate(resolve))

describe('Bursts', () => {
  test('changes that come close together are one', async t => {
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'] })
    const taken: string[][] = []
    const bursts = new Bursts({ quiet: 100, longest: 1000, take: async changed => void taken.push([...changed]) })
    bursts.push('a')
    t.mock.timers.tick(99)
    bursts.push('b')
    t.mock.timers.tick(99)
    await settled()
    assert.deepEqual(taken, [])
    t.mock.timers.tick(1)
    await settled()
    assert.deepEqual(taken, [['a', 'b']])
    await bursts.close()
  })

  test('a burst that does not end is handed on all the same', async t => {
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'] })
    const taken: string[][] = []
    const bursts = new Bursts({ quiet: 100, longest: 300, take: async changed => void taken.push([...changed]) })
    for (let i = 0; i < 6; i++) {
      bursts.push(`f${i}`)
      t.mock.timers.tick(60)
      await settled()
    }
    assert.deepEqual(taken, [['f0', 'f1', 'f2', 'f3', 'f4']])
    await bursts.close()
  })

  test('what comes while one is taken is the next one, never beside it', async t => {
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'] })
    const taken: string[][] = []
    let release = Promise.withResolvers<void>()
    const bursts = new Bursts({
      quiet: 100,
      longest: 1000,
      take: changed => {
        taken.push([...changed])
        return release.promise
      },
    })
    bursts.push('a')
    t.mock.timers.tick(100)
    await settled()
    bursts.push('b')
    t.mock.timers.tick(5000)
    await settled()
    assert.deepEqual(taken, [['a']])
    release.resolve()
    release = Promise.withResolvers<void>()
    await settled()
    t.mock.timers.tick(100)
    await settled()
    assert.deepEqual(taken, [['a'], ['b']])
    release.resolve()
    await bursts.close()
  })

  test('after close nothing is handed on', async t => {
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'] })
    const taken: string[][] = []
    const bursts = new Bursts({ quiet: 100, longest: 1000, take: async changed => void taken.push([...changed]) })
    bursts.push('a')
    await bursts.close()
    bursts.push('b')
    t.mock.timers.tick(5000)
    await settled()
    assert.deepEqual(taken, [])
  })

  test('what has changed before the time was over is part of it, though it is heard of after that', async t => {
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'] })
    const taken: string[][] = []
    const bursts = new Bursts({ quiet: 100, longest: 1000, take: async changed => void taken.push([...changed]) })
    bursts.push('a')
    t.mock.timers.tick(150)
    // as the kernel's queue is read after the timers of a process that was held up
    bursts.push('b')
    await settled()
    assert.deepEqual(taken, [])
    t.mock.timers.tick(100)
    await settled()
    assert.deepEqual(taken, [['a', 'b']])
    await bursts.close()
  })

  test('many changes may have longer pauses between them', async t => {
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'] })
    const taken: number[] = []
    const bursts = new Bursts({ quiet: 100, longest: 5000, take: async changed => void taken.push(changed.size) })
    for (let i = 0; i < 100; i++) bursts.push(`f${i}`)
    t.mock.timers.tick(399)
    bursts.push('last')
    t.mock.timers.tick(400)
    await settled()
    assert.deepEqual(taken, [101])
    await bursts.close()
  })
})
