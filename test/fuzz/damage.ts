/** Requests that are nearly right: made of the table of endpoints, then damaged in one way or several, all by one source of chance. */
import type { Endpoint } from '../../src/api/endpoint.ts'
import { endpoints } from '../../src/api/endpoints.ts'

export interface Damaged {
  readonly endpoint: Endpoint
  /** The bytes to send. */
  readonly bytes: Buffer
}

type Chance = () => number

const pick = <T>(random: Chance, list: readonly T[]): T => list[Math.floor(random() * list.length)]!

/** Those that take the connection over are left to tests of their own. */
const asked = (Object.values(endpoints) as readonly Endpoint[]).filter(
  ({ reply }) => reply.kind !== 'connection' && reply.kind !== 'websocket',
)

const junk: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e308,
  -(2 ** 53),
  2 ** 63,
  '',
  ' ',
  '\0',
  'x',
  '../../etc/passwd',
  '/',
  '-1',
  '0x10',
  'NaN',
  '😀',
  '\ud800',
  'a'.repeat(300),
  'a'.repeat(70_000),
  [],
  [null],
  [[]],
  ['x', 'x'],
  {},
  { x: 1 },
  { __proto__: 1 },
  { constructor: { prototype: 1 } },
  { toString: 1 },
  '{"x":',
  'host',
  'container:self',
  'container:',
  '0.0.0.0/0',
  '::/0',
  '10.0.0.0/33',
  '%',
  '%s%n',
  'a:b:c:d',
  'tcp',
]

const names: readonly string[] = [
  'fuzz',
  'x',
  '',
  '.',
  '..',
  '%2e%2e%2f%2e%2e',
  '%00',
  '%',
  '%zz',
  '%ff%fe',
  'a'.repeat(5000),
  'sha256:',
  `sha256:${'0'.repeat(64)}`,
  'a@b@c',
  'UPPER/case',
  '😀',
  'a b',
  'a/b/c/d',
  '-',
  'busybox:',
  ':latest',
  '*',
  '{}',
  'null',
  'f'.repeat(64),
]

const bodies: Readonly<Record<string, unknown>> = {
  containerCreate: {
    Image: 'busybox',
    Cmd: ['true'],
    Env: ['A=1'],
    Labels: { a: '1' },
    User: '1:1',
    WorkingDir: '/tmp',
    ExposedPorts: { '80/tcp': {} },
    Healthcheck: { Test: ['CMD', 'true'], Interval: 1e9, Timeout: 1e9, Retries: 1 },
    HostConfig: {
      Memory: 64e6,
      PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] },
      RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 1 },
      Mounts: [{ Type: 'volume', Source: 'fuzz', Target: '/data' }],
      Tmpfs: { '/t': 'size=1m' },
      Ulimits: [{ Name: 'nofile', Soft: 1, Hard: 2 }],
      Devices: [{ PathOnHost: '/dev/null', PathInContainer: '/dev/x', CgroupPermissions: 'r' }],
      LogConfig: { Type: 'json-file', Config: { 'max-size': '1m' } },
      SecurityOpt: ['no-new-privileges'],
      Sysctls: { 'net.core.somaxconn': '10' },
      ExtraHosts: ['a:1.1.1.1'],
      NetworkMode: 'none',
    },
    NetworkingConfig: { EndpointsConfig: { none: {} } },
  },
  networkCreate: {
    Name: 'fuzz',
    Driver: 'bridge',
    Internal: true,
    IPAM: { Driver: 'default', Config: [{ Subnet: '10.250.0.0/24', Gateway: '10.250.0.1', IPRange: '10.250.0.0/25' }] },
    Options: { 'com.docker.network.bridge.name': 'fuzz0' },
    Labels: { a: '1' },
  },
  networkConnect: { Container: 'fuzz', EndpointConfig: { Aliases: ['a'], IPAMConfig: { IPv4Address: '10.250.0.9' } } },
  networkDisconnect: { Container: 'fuzz', Force: true },
  volumeCreate: {
    Name: 'fuzz',
    Driver: 'local',
    DriverOpts: { type: 'tmpfs', device: 'tmpfs', o: 'size=1m' },
    Labels: { a: '1' },
  },
  execCreate: { Cmd: ['true'], AttachStdout: true, Env: ['A=1'], User: '1', Tty: false },
  execStart: { Detach: true, Tty: false },
  containerUpdate: { Memory: 32e6, CpuShares: 10, RestartPolicy: { Name: 'no' } },
}

/** One damaged request. `there`: names and ids of what the engine has, which every second one is about. */
export function damaged(random: Chance, there: readonly string[]): Damaged {
  const endpoint = pick(random, asked)
  const target = `${prefix(random)}${pathOf(random, endpoint, there)}${queryOf(random, endpoint)}`
  const body = bodyOf(random, endpoint)
  const length = random() < 0.03 ? pick(random, [0, 1, body.length + 7, 2 ** 40, -1, 'x']) : body.length
  const head = [
    `${random() < 0.02 ? pick(random, ['', 'GET ', 'PATCH', 'get', 'DELETE']) : endpoint.method} ${target} HTTP/${random() < 0.01 ? pick(random, ['1.0', '9.9', '']) : '1.1'}`,
    'Host: x',
    'Connection: close',
    `Content-Type: ${random() < 0.05 ? pick(random, ['', 'text/plain', 'application/json; charset=', 'application/x-tar']) : 'application/json'}`,
    ...(body.length > 0 || random() < 0.05 ? [`Content-Length: ${length}`] : []),
    ...(random() < 0.02
      ? [pick(random, ['Transfer-Encoding: chunked', 'Content-Length: 3', 'Expect: 100-continue', 'Upgrade: h2c'])]
      : []),
    ...(random() < 0.05 ? [`X-Registry-Auth: ${pick(random, ['e30=', '!!!', 'a'.repeat(9000), 'bnVsbA=='])}`] : []),
  ]
  const bytes = Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body])
  return { endpoint, bytes: random() < 0.1 ? flipped(random, bytes) : bytes }
}

function prefix(random: Chance): string {
  return random() < 0.8
    ? '/v1.51'
    : pick(random, ['', '/v1.24', '/v1.30', '/v0.1', '/v999.9', '/v1.', '/v1.51/v1.51', '//'])
}

function pathOf(random: Chance, { path }: Endpoint, there: readonly string[]): string {
  return path.replaceAll(/\{\w+\*?\}/g, () => pick(random, random() < 0.5 ? there : names))
}

function queryOf(random: Chance, { query }: Endpoint): string {
  const known = Object.entries(query)
  const parts: string[] = []
  while (random() < 0.6) {
    const [name] = known.length > 0 && random() < 0.9 ? pick(random, known) : [pick(random, names)]
    const value = pick(random, junk)
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    parts.push(
      `${name}=${
        random() < 0.9
          ? encodeURIComponent(text.toWellFormed())
          : Buffer.from(text)
              .toString('latin1')
              .replaceAll(/[\r\n ]/g, '')
      }`,
    )
  }
  return parts.length > 0 ? `?${parts.join('&').slice(0, 8000)}` : ''
}

function bodyOf(random: Chance, { name, body }: Endpoint): Buffer {
  if (body.kind === 'none') return random() < 0.05 ? Buffer.from('{}') : Buffer.alloc(0)
  if (body.kind === 'bytes')
    return Buffer.from(Array.from({ length: Math.floor(random() * 2000) }, () => random() * 256))
  let value: unknown = structuredClone(bodies[name] ?? { x: 1 })
  for (let i = 1 + Math.floor(random() * 3); i > 0; i--) value = mutated(random, value)
  let text = JSON.stringify(value) ?? ''
  if (random() < 0.02) text = '['.repeat(20_000)
  if (random() < 0.02) text = `${text.slice(0, -1)},"Image":"a","image":1}`
  const bytes = Buffer.from(text)
  return random() < 0.1 ? flipped(random, bytes) : bytes
}

/** One place of a document is another value, gone, or there twice. */
function mutated(random: Chance, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || random() < 0.15) return structuredClone(pick(random, junk))
  if (Array.isArray(value)) {
    if (value.length === 0 || random() < 0.2) return [...value, structuredClone(pick(random, junk))]
    const at = Math.floor(random() * value.length)
    return value.map((each, i) => (i === at ? mutated(random, each) : each))
  }
  const keys = Object.keys(value)
  if (keys.length === 0 || random() < 0.1)
    return { ...value, [keyOf(pick(random, junk))]: structuredClone(pick(random, junk)) }
  const key = pick(random, keys)
  const { [key]: old, ...rest } = value as Record<string, unknown>
  return random() < 0.1 ? rest : { ...rest, [key]: mutated(random, old) }
}

const keyOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

/** A few bytes are others, or it ends early. */
function flipped(random: Chance, bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  for (let i = 1 + Math.floor(random() * 4); i > 0 && copy.length > 0; i--)
    copy[Math.floor(random() * copy.length)] = Math.floor(random() * 256)
  return random() < 0.3 ? copy.subarray(0, Math.floor(random() * copy.length)) : copy
}
