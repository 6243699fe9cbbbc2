import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  asksResolved,
  hostsText,
  parseResolvConf,
  resolvConfText,
  splitExtraHost,
} from '../../../src/engine/dns/host-files.ts'
import { isFailure } from '../../../src/lib/failure.ts'

describe('hostsText()', () => {
  test('has the loopback and IPv6 lines, extra hosts, then the container’s own addresses', () => {
    const text = hostsText({
      hostname: 'web',
      domainname: 'example.test',
      addresses: ['10.1.0.2', 'fd00::2'],
      extraHosts: ['db:10.9.0.1', 'six=[fd00::9]', 'host.docker.internal:host-gateway'],
      hostGateway: ['10.1.0.1'],
    })
    assert.equal(
      text,
      `127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::\tip6-localnet
ff00::\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
10.9.0.1\tdb
fd00::9\tsix
10.1.0.1\thost.docker.internal
10.1.0.2\tweb.example.test web
fd00::2\tweb.example.test web
`,
    )
  })

  test('with the host’s network it is the host’s file and the extra hosts', () => {
    const text = hostsText({ hostname: 'x', addresses: [], extraHosts: ['db:10.9.0.1'], host: '127.0.0.1 localhost' })
    assert.equal(text, '127.0.0.1 localhost\n10.9.0.1\tdb\n')
  })

  for (const line of ['db', 'db:', ':10.0.0.1', 'db:10.0.0', 'a b:10.0.0.1', 'db:10.0.0.1\n1.2.3.4 evil'])
    test(`splitExtraHost() refuses ${JSON.stringify(line)}`, () =>
      assert.throws(
        () => splitExtraHost(line),
        error => isFailure(error, 'invalid'),
      ))

  test('host-gateway without a bridge network is refused', () => {
    assert.throws(() => hostsText({ hostname: 'x', addresses: [], extraHosts: ['h:host-gateway'] }), /host-gateway/)
  })
})

describe('resolvConfText()', () => {
  const host =
    '# made by something\nnameserver 192.0.2.1\nnameserver 192.0.2.2 ; second\ndomain old.test\nsearch lan.test corp.test\noptions edns0 timeout:1\n'
  const none = { servers: [], search: [], options: [] }

  test('names our server and keeps the host’s search list and options', () => {
    assert.equal(
      resolvConfText({ host, internal: true, ...none }),
      'nameserver 127.0.0.11\nsearch lan.test corp.test\noptions edns0 timeout:1 ndots:0\n',
    )
  })
  test('takes what the container was given in place of the host’s', () => {
    assert.equal(
      resolvConfText({ host, internal: true, servers: ['9.9.9.9'], search: ['.'], options: ['ndots:2'] }),
      'nameserver 127.0.0.11\noptions ndots:2\n',
    )
    assert.equal(
      resolvConfText({ host, internal: false, servers: ['9.9.9.9'], search: ['a.test'], options: ['rotate'] }),
      'nameserver 9.9.9.9\nsearch a.test\noptions rotate\n',
    )
  })
  test('is the host’s on the default bridge', () => {
    assert.match(resolvConfText({ host, internal: false, ...none }), /^nameserver 192.0.2.1\nnameserver 192.0.2.2\n/)
  })
  test('leaves out what the default bridge does not reach, and takes public ones where none is left', () => {
    const servers = (text: string, ipv6 = false) =>
      resolvConfText({ host: text, internal: false, bridge: { ipv6 }, ...none }).match(/(?<=^nameserver ).*/gm)
    assert.deepEqual(servers('nameserver 127.0.0.1\nnameserver 192.0.2.1\nnameserver 2001:db8::1\n'), ['192.0.2.1'])
    assert.deepEqual(servers('nameserver ::1\nnameserver 2001:db8::1\n', true), ['2001:db8::1'])
    assert.deepEqual(servers('nameserver 127.0.0.53\n'), ['8.8.8.8', '8.8.4.4'])
    assert.equal(servers('', true)?.length, 4)
    const asked = { host: '', internal: false, bridge: { ipv6: false }, ...none, servers: ['127.0.0.1'] }
    assert.equal(resolvConfText(asked), 'nameserver 127.0.0.1\n')
  })
  test('asksResolved() holds for its stub alone', () => {
    assert.ok(asksResolved('nameserver 127.0.0.53\noptions edns0\n'))
    assert.ok(!asksResolved('nameserver 127.0.0.53\nnameserver 192.0.2.1\n'))
  })
  test('parseResolvConf() takes the last search line', () => {
    assert.deepEqual(parseResolvConf('search a\nsearch b c\n').search, ['b', 'c'])
  })
})
