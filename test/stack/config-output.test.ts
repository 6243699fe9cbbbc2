import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { configList, variablesAs } from '../../src/stack/config-lists.ts'
import { configJson, configYaml } from '../../src/stack/config-output.ts'
import { naturally } from '../../src/stack/natural-order.ts'
import { load } from './stacks.ts'

describe('config is written as Compose writes it', () => {
  test('as YAML: keys in its order, extensions where they stand, and nothing that nobody set', async () => {
    const stack = `
x-top: {b: 1, a: [1]}
services:
  b:
    x-own: 1
    networks: {n: {priority: 1, aliases: [x]}}
    image: "busybox:"
    environment: {K10: "yes", K2: "1", "K-": "'q'", K3: "12:30", T: "a\\tb"}
    build: .
    command: [y, "a: b", plain]
    ports: ["80:80"]
    profiles: []
  a: {image: x}
networks: {n: {x-n: 1, driver: bridge}}
`
    assert.equal(
      configYaml(await load(stack)).replace(/context: .*/, 'context: HERE'),
      `name: shop
services:
  a:
    image: x
    networks:
      default: null
  b:
    build:
      context: HERE
      dockerfile: Dockerfile
    command:
      - "y"
      - 'a: b'
      - plain
    environment:
      K-: '''q'''
      K2: "1"
      K3: "12:30"
      K10: "yes"
      T: "a\\tb"
    image: 'busybox:'
    networks:
      "n":
        aliases:
          - x
        priority: 1
    ports:
      - mode: ingress
        target: 80
        published: "80"
        protocol: tcp
    x-own: 1
networks:
  default:
    name: shop_default
  "n":
    name: shop_n
    driver: bridge
    x-n: 1
x-top:
  a:
    - 1
  b: 1
`,
    )
  })

  test('as JSON: the top by name, members that are always there, no extensions below, no markup', async () => {
    const text = configJson(await load('services: {a: {image: x, command: ["a<b&c"], x-own: 1}}\n'))
    assert.match(text, /"a\\u003cb\\u0026c"/)
    const data = JSON.parse(text)
    assert.deepEqual(Object.keys(data), ['name', 'networks', 'services'])
    assert.deepEqual(Object.keys(data.services.a), ['command', 'entrypoint', 'image', 'networks'])
    assert.deepEqual(data.networks.default, { name: 'shop_default', ipam: {} })
  })
})

test('configYaml() of a stack whose variables are left keeps pairs and numbers as they were written', async () => {
  const stack = 'services:\n  a: {image: "x:$TAG", environment: [A=1, B], expose: [80], labels: {l: 1}}\n'
  assert.equal(
    configYaml(await load(stack, { interpolate: false })),
    `name: shop
networks:
  default:
    name: shop_default
services:
  a:
    environment:
      - A=1
      - B
    expose:
      - 80
    image: x:$TAG
    labels:
      l: 1
    networks:
      default: null
`,
  )
})

test('naturally() orders keys as Go does', () => {
  assert.deepEqual(['FOO10', 'b', 'FOO2', 'FOO.BAR', 'FOO_A', 'a', 'FOOA', 'FOO', 'B', 'a1b', 'a1-'].sort(naturally), [
    'B',
    'FOO',
    'FOO.BAR',
    'FOO_A',
    'FOO2',
    'FOO10',
    'FOOA',
    'a',
    'a1b',
    'a1-',
    'b',
  ])
})

test('configList() and variablesAs() name the variables of a stack with their defaults', async () => {
  const loaded = await load('name: "${P:-p}"\nservices: {a: {image: "x:${TAG:-1}", labels: {l: "${L?need}"}}}\n', {
    interpolate: false,
  })
  assert.deepEqual(
    configList(loaded, 'variables').map(line => line.split(/\s{2,}/)),
    [
      ['NAME', 'REQUIRED', 'DEFAULT VALUE', 'ALTERNATE VALUE'],
      ['L', 'true'],
      ['TAG', 'false', '1'],
    ],
  )
  assert.deepEqual(JSON.parse(variablesAs('json', loaded)), {
    L: { Name: 'L', DefaultValue: '', PresenceValue: '', Required: true },
    TAG: { Name: 'TAG', DefaultValue: '1', PresenceValue: '', Required: false },
  })
  const yaml = (name: string, value: string, required: boolean) =>
    `${name}:\n    name: ${name}\n    defaultvalue: "${value}"\n    presencevalue: ""\n    required: ${required}\n`
  assert.equal(variablesAs('yaml', loaded), `${yaml('L', '', true)}${yaml('TAG', '1', false)}`)
})

test('configList() names services by name, but each after what it depends on', async () => {
  const loaded = await load(`
services:
  a: {image: x, depends_on: [z, c]}
  b: {image: x, network_mode: "service:y"}
  c: {image: x}
  y: {image: x}
  z: {image: x, depends_on: [c]}
`)
  assert.deepEqual(configList(loaded, 'services'), ['c', 'z', 'a', 'y', 'b'])
})
