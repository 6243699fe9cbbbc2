/** A container that calls itself by a port that it has on the host. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { TestEngine } from '../support/engine.ts'
import { lacking, program, root } from '../support/needs.ts'

const why = lacking(root(), program('busybox'), program('nft'), program('docker'))

describe('a port of its own', { skip: why, timeout: 60_000 }, () => {
  let engine: TestEngine
  before(async () => {
    engine = await TestEngine.start()
  })
  after(() => engine.stop())

  const docker = (...args: readonly string[]) => engine.runDocker(...args)

  test('answers a container that asks for it by an address of the host, as it answers its neighbours', async () => {
    await docker('network', 'create', '--ipv6', '--subnet', '10.209.78.0/24', '--subnet', 'fd00:78:9::/64', 'net')
    const serve = 'mkdir /www && echo "$HOSTNAME" >/www/index.html && httpd -h /www && touch /up && exec sleep infinity'
    const web = ['-p', '0.0.0.0::80', '-p', '[::]::80', 'busybox', 'sh', '-c', serve]
    await docker('run', '-d', '--name', 'web', '--hostname', 'web', '--network', 'net', ...web)
    await docker('run', '-d', '--name', 'other', '--network', 'net', 'busybox', 'sleep', 'infinity')
    await docker('exec', 'web', 'sh', '-c', 'until [ -e /up ]; do sleep 0.05; done')
    const places = (await docker('port', 'web', '80')).split('\n').map(place => Number(place.split(':').at(-1)))
    const [four, six] = [`10.209.78.1:${places[0]}`, `[fd00:78:9::1]:${places.at(-1)}`]
    for (const place of [four, six])
      for (const who of ['web', 'other'])
        assert.equal(
          await docker('exec', who, 'timeout', '3', 'wget', '-qO-', `http://${place}/`),
          'web',
          `${who} → ${place}`,
        )

    const apart = ['-o', 'com.docker.network.bridge.enable_icc=false', '--subnet', '10.209.79.0/24']
    await docker('network', 'create', ...apart, 'apart')
    await docker('run', '-d', '--name', 'lone', '--hostname', 'lone', '--network', 'apart', ...web)
    await docker('run', '-d', '--name', 'next', '--network', 'apart', 'busybox', 'sleep', 'infinity')
    await docker('exec', 'lone', 'sh', '-c', 'until [ -e /up ]; do sleep 0.05; done')
    const port = (await docker('port', 'lone', '80')).split('\n')[0]!.split(':').at(-1)
    for (const who of ['lone', 'next', 'web'])
      assert.equal(
        await docker('exec', who, 'timeout', '3', 'wget', '-qO-', `http://10.209.79.1:${port}/`),
        'lone',
        `${who} → a member of a network that keeps them apart`,
      )
    const direct = ['exec', 'next', 'timeout', '2', 'wget', '-qO-', 'http://lone/']
    assert.notEqual((await engine.docker(direct)).code, 0, 'they are still kept apart')

    await docker('network', 'create', 'later')
    await docker('network', 'connect', 'later', 'web')
    await docker('network', 'disconnect', 'net', 'web')
    const gateway = await docker('network', 'inspect', '-f', '{{(index .IPAM.Config 0).Gateway}}', 'later')
    assert.equal(await docker('exec', 'web', 'timeout', '3', 'wget', '-qO-', `http://${gateway}:${places[0]}/`), 'web')
  })
})
