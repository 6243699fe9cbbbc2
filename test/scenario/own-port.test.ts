/** A container that calls itself by a port that it has on the host. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { command } from '../support/command.ts'
import { launcher, TestEngine } from '../support/engine.ts'
import { lacking, program, root } from '../support/needs.ts'
import { ownEngine } from '../support/other-engine.ts'
import { patience } from '../support/patience.ts'
import { udpImageTar } from '../support/udp-image.ts'

const why = lacking(
  root(),
  program('busybox'),
  program('nft'),
  program('docker'),
  program('gcc'),
  ownEngine('a Docker Engine refuses some of these ways'),
)

describe('a port of its own', { skip: why, timeout: 60_000 * patience }, () => {
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

  test('answers datagrams from where it was asked, by any address of the host, one flow after the other', async () => {
    const loaded = await command(launcher, ['image', 'load'], { input: await udpImageTar('udp:1'), env: engine.env })
    assert.equal(loaded.code, 0, loaded.stderr)
    await docker('network', 'create', '--ipv6', '--subnet', '10.209.80.0/24', '--subnet', 'fd00:78:80::/64', 'near')
    const apart = ['-o', 'com.docker.network.bridge.enable_icc=false', '--ipv6']
    await docker('network', 'create', ...apart, '--subnet', '10.209.81.0/24', '--subnet', 'fd00:78:81::/64', 'alone')
    const ports = new Map<string, number>()
    await docker('network', 'create', 'four')
    for (const network of ['near', 'alone', 'four']) {
      const serve = ['-e', `TAG=${network}`, '-p', '0.0.0.0::53/udp', '-p', '[::]::53/udp', 'udp:1', 'udp-server', '53']
      await docker('run', '-d', '--name', `${network}-server`, '--network', network, ...serve)
      await docker('run', '-d', '--name', `${network}-asker`, '--network', network, 'udp:1')
      for (const place of (await docker('port', `${network}-server`, '53/udp')).split('\n'))
        ports.set(`${network} ${place.startsWith('[') ? 6 : 4}`, Number(place.split(':').at(-1)))
    }
    const hosts = { 4: ['10.209.80.1', '10.209.81.1'], 6: ['fd00:78:80::1', 'fd00:78:81::1'] }
    const wrong: string[] = []
    for (const server of ['near', 'alone', 'four'])
      for (const family of [4, 6] as const)
        for (const host of hosts[family])
          for (const who of ['near-asker', 'alone-asker', `${server}-server`]) {
            // it has no address to ask from
            if (who === 'four-server' && family === 6) continue
            const port = `${ports.get(`${server} ${family}`)}`
            const said = await engine.docker(['exec', who, 'udp-ask', host, port, 'one', 'two', 'three'])
            const isRight = said.stdout === ['one', 'two', 'three'].map(text => `${text} ${server}\n`).join('')
            if (!isRight) wrong.push(`${who} → ${server} by ${host}: ${said.stdout}${said.stderr}`)
          }
    assert.deepEqual(wrong, [])
  })
})
