import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { originOf } from '../../src/cli/explain-places.ts'
import { parsePublish, withMounts, words } from '../../src/cli/run-options.ts'
import { parseTime } from '../../src/cli/times.ts'

describe('options of run', () => {
  test('parsePublish() reads addresses, ranges and protocols', () => {
    const short = (text: string) =>
      parsePublish(text).map(({ target, binding }) => `${binding.HostIp}|${binding.HostPort}|${target}`)
    assert.deepEqual(short('80'), ['||80/tcp'])
    assert.deepEqual(short('8080:80/udp'), ['|8080|80/udp'])
    assert.deepEqual(short('127.0.0.1::80'), ['127.0.0.1||80/tcp'])
    assert.deepEqual(short('[::1]:8000-8001:90-91'), ['::1|8000|90/tcp', '::1|8001|91/tcp'])
  })

  for (const bad of ['', 'x', '80:', '0', '70000', '8000-8001:80', '90-80', '1:2:3:4'])
    test(`parsePublish() refuses "${bad}"`, () => assert.throws(() => parsePublish(bad), /Cannot publish/))

  test('withMounts() makes the source of a bind absolute and leaves a volume its name', () => {
    const body = withMounts(
      { Image: 'a', HostConfig: { Binds: ['x:/x'] } },
      {
        volumes: ['./a:/a:ro', 'data:/data', '/cache'],
        publish: ['1:2'],
        remove: true,
        cwd: '/work',
        interactive: true,
        detach: false,
      },
    )
    assert.deepEqual(body.HostConfig?.Binds, ['x:/x', '/work/a:/a:ro', 'data:/data'])
    assert.deepEqual([body.Volumes, body.HostConfig?.AutoRemove, body.StdinOnce], [{ '/cache': {} }, true, true])
    assert.deepEqual(body.HostConfig?.PortBindings, { '2/tcp': [{ HostIp: '', HostPort: '1' }] })
  })

  test('words() splits as sh does', () => {
    assert.deepEqual(words(`sh -c "echo \\"a b\\"" 'c d' e\\ f g""h`), ['sh', '-c', 'echo "a b"', 'c d', 'e f', 'gh'])
    assert.throws(() => words('a "b'), /a quote is not closed/)
  })
})

describe('times', () => {
  const now = Date.parse('2026-01-02T00:00:00Z')
  test('parseTime() reads durations, dates and seconds', () => {
    assert.equal(parseTime('--since', '1m30s', now), BigInt(now - 90_000) * 1_000_000n)
    assert.equal(parseTime('--since', '2026-01-01T00:00:00Z', now), BigInt(now - 86_400_000) * 1_000_000n)
    assert.equal(parseTime('--since', '12.5', now), 12_500_000_000n)
    assert.equal(parseTime('--since', undefined, now), undefined)
    assert.throws(() => parseTime('--since', 'yesterday', now), /invalid value for "since": "yesterday" is no time/)
  })
})

describe('explain', () => {
  test('originOf() finds the longest field that a cause begins with', () => {
    const origins = { 'HostConfig.Mounts[1]': ['b'], 'HostConfig.Mounts': ['a'], Image: ['c'] }
    assert.deepEqual(
      ['HostConfig.Mounts[1].Source', 'HostConfig.Mounts[2]', 'Image', 'HostConfig', '', 'constructor'].map(cause =>
        originOf(origins, cause),
      ),
      [['b'], ['a'], ['c'], undefined, undefined, undefined],
    )
  })
})
