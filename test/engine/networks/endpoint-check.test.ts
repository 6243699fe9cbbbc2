import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkEndpoint } from '../../../src/engine/networks/endpoint-check.ts'
import { endpointRequest } from '../../../src/engine/networks/endpoint-request.ts'

const network = (isPredefined: boolean, ...pools: { subnet: string; automatic?: true }[]) => ({
  isPredefined,
  record: { pools },
})
const chosen = network(false, { subnet: '172.28.0.0/16' }, { subnet: 'fd00:77::/64' })
const automatic = network(false, { subnet: '172.28.0.0/16', automatic: true })
const bridge = network(true, { subnet: '172.17.0.0/16' })
const none = 'user specified IP address is supported only when connecting to networks with user configured subnets'
const outside = (text: string) => `no configured subnet or ip-range contain the IP address ${text}`

const cases: readonly [string, typeof chosen | undefined, Parameters<typeof endpointRequest>[1], readonly string[]][] =
  [
    [
      'an address in a chosen subnet',
      chosen,
      { IPAMConfig: { IPv4Address: '172.28.9.9', IPv6Address: 'fd00:77::5' } },
      [],
    ],
    ['an address outside', chosen, { IPAMConfig: { IPv4Address: '10.1.1.1' } }, [outside('10.1.1.1')]],
    ['no address', chosen, { IPAMConfig: { IPv4Address: 'x' } }, ['invalid IPv4 address: x', outside('x')]],
    [
      'the address of nobody',
      chosen,
      { IPAMConfig: { IPv4Address: '0.0.0.0' } },
      ['invalid IPv4 address: 0.0.0.0', outside('0.0.0.0')],
    ],
    [
      'IPv4 in the clothes of IPv6',
      chosen,
      { IPAMConfig: { IPv6Address: '::ffff:172.28.9.9' } },
      ['invalid IPv6 address: ::ffff:172.28.9.9', outside('::ffff:172.28.9.9')],
    ],
    [
      'the other family',
      chosen,
      { IPAMConfig: { IPv4Address: 'fd00:77::5' } },
      ['invalid IPv4 address: fd00:77::5', outside('fd00:77::5')],
    ],
    ['a subnet that nobody has chosen', automatic, { IPAMConfig: { IPv4Address: '172.28.9.9' } }, [none]],
    [
      'the default bridge',
      bridge,
      { Aliases: ['a'], IPAMConfig: { IPv4Address: '172.17.0.9' } },
      [
        'user specified IP address is supported on user defined networks only',
        'network-scoped alias is supported only for containers in user defined networks',
        none,
      ],
    ],
    [
      'a network that is not there',
      undefined,
      { Aliases: ['a'], IPAMConfig: { LinkLocalIPs: ['169.254.1.1', 'x'] } },
      ['invalid link-local IP address: x'],
    ],
  ]
for (const [name, on, settings, wrong] of cases)
  test(`checkEndpoint() of ${name}`, () => {
    const check = () => checkEndpoint(on, endpointRequest('net', settings))
    if (wrong.length === 0) return check()
    const lines = wrong.length === 1 ? wrong : wrong.map(line => `* ${line}`)
    assert.throws(check, { kind: 'invalid', message: ['invalid endpoint settings:', ...lines].join('\n') })
  })
