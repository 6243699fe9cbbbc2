import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { at, problems } from './stacks.ts'

/** One line typed wrong: the line, where the problem must stand (line, column, in a service from line 3 on), and what must be said. */
const typos: ReadonlyArray<readonly [wrong: string, column: number, said: RegExp, suggestion?: RegExp]> = [
  ['    imagee: busybox', 5, /key "imagee"/, /"image"/],
  ['    comand: ls', 5, /key "comand"/, /"command"/],
  ['    enviroment: {A: b}', 5, /key "enviroment"/, /"environment"/],
  ['    volume: [a:/a]', 5, /key "volume"/, /"volumes"/],
  ['    port: ["80:80"]', 5, /key "port"/, /"ports"/],
  ['    dependson: [db]', 5, /key "dependson"/, /"depends_on"/],
  ['    depends-on: [db]', 5, /key "depends-on"/, /"depends_on"/],
  ['    container-name: x', 5, /key "container-name"/, /"container_name"/],
  ['    entrypont: ls', 5, /key "entrypont"/, /"entrypoint"/],
  ['    helthcheck: {}', 5, /key "helthcheck"/, /"healthcheck"/],
  ['    restrat: always', 5, /key "restrat"/, /"restart"/],
  ['    mem_limt: 64m', 5, /key "mem_limt"/, /"mem_limit"/],
  ['    services: {}', 5, /key "services"/, /"devices"|indentation/],
  ['    healthcheck: {tets: [CMD, "true"]}', 19, /key "tets"/, /"test"/],
  ['    healthcheck: {test: ["curl", "x"]}', 19, /"curl"/, /CMD/],
  ['    deploy: {replica: 2}', 14, /key "replica"/, /"replicas"/],
  ['    deploy: {resources: {limit: {}}}', 26, /key "limit"/, /"limits"/],
  ['    ports: 8080:80', 12, /a string here: it should be a list/, /- /],
  ['    ports: ["8080:eighty"]', 13, /"eighty" is not a port/],
  ['    ports: ["80:80:80:80"]', 13, /"80:80:80:80"/],
  ['    environment: {A: [1]}', 22, /a list here/],
  ['    privileged: maybe', 17, /"maybe" as a boolean/],
  ['    mem_limit: 64q', 16, /"64q" as a size/],
  ['    stop_grace_period: 10', 24, /a number here/, /"10s"/],
  ['    depends_on: {db: {condition: service_healty}}', 34, /"service_healty"/, /"service_healthy"/],
  ['    depends_on: [bd]', 18, /service "bd"/, /"db"/],
  ['    networks: [frnot]', 16, /undefined network frnot/, /"front"/],
  ['    volumes: ["dta:/data"]', 15, /undefined volume dta/, /"data"/],
  ['    secrets: [tokn]', 15, /undefined secret tokn/, /"token"/],
  ['    command: echo "hi', 14, /a quote is not closed/],
  ['    hostname: ${HOSTNAM', 15, /no closing brace/],
  ['    cgroup: hots', 13, /"hots"/, /"host"/],
  ['    extends: {service: bd}', 14, /service "bd"/],
  ['    user: 1000', 11, /a number here: it should be a string/, /"1000"/],
]

describe('a line typed wrong is shown with its place and what was meant', () => {
  for (const [wrong, column, said, suggestion] of typos)
    test(wrong.trim(), async () => {
      const stack = `services:\n  web:\n    image: busybox\n${wrong}\n  db: {image: busybox}\nnetworks: {front: {}}\nvolumes: {data: {}}\nsecrets: {token: {environment: TOKEN}}\n`
      const found = await problems(
        wrong.includes('imagee') ? stack.replace('    image: busybox\n', '    tty: true\n') : stack,
      )
      const [first] = found
      assert.match(first?.message ?? '', said)
      assert.equal(at(first), `compose.yaml:4:${column}`)
      if (suggestion) assert.match(first?.hint ?? '', suggestion)
      assert.equal(found.filter(problem => problem.severity === 'error').length, 1)
    })
})

/** What stands at another place than it belongs to, or has more in it than is seen: the file, the place, and what would be right. */
const misplaced: ReadonlyArray<readonly [what: string, yaml: string, place: string, hint: RegExp]> = [
  ['a service at the top', 'web: {image: x}\nservices: {a: {image: x}}\n', '1:1', /below "services"/],
  ['an attribute at the top', 'services: {a: {image: x}}\nports: [80]\n', '2:1', /in a service, below/],
  [
    'a section in a service',
    'services:\n  a: {image: x, volumes: [], include: []}\n',
    '2:30',
    /at the top of the file/,
  ],
  [
    'a word beside the services',
    'services:\n  a: {image: x}\n  command: y\n',
    '3:12',
    /"command" stands where a service does/,
  ],
  ['a list beside the services', 'services:\n  a: {image: x}\n  ports:\n    - 80\n', '4:5', /"ports" stands where/],
  [
    'keys beside the services',
    'services:\n  a: {image: x}\n  environment:\n    A: 1\n',
    '4:5',
    /"environment" stands where/,
  ],
  ['services as items', 'services:\n  - web:\n      image: x\n', '2:3', /^Write "web:" in place of "- web:"$/],
  [
    'volumes as items',
    'services: {a: {image: x}}\nvolumes:\n  - data\n',
    '3:3',
    /^Write "data:" in place of "- data"$/,
  ],
  ['a no-break space', 'services:\n  a:\n    image: x\n\u00a0   init: true\n', '4:1', /U\+00A0.*plain blank/],
  ['typographic quotes', 'services:\n  “a”: {image: x}\n', '2:3', /U\+201C.*plain quote/],
]

describe('what stands at the wrong place is told where it belongs', () => {
  for (const [what, yaml, place, hint] of misplaced)
    test(what, async () => {
      const [first, ...others] = await problems(yaml)
      assert.equal(at(first), `compose.yaml:${place}`)
      assert.match(first?.hint ?? '', hint)
      assert.deepEqual(others, [])
    })
})
