import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkProject } from '../../src/model/check.ts'
import { load } from '../stack/stacks.ts'

/** What is wrong with a stack that is well-formed: code and field of each problem. */
const unsound: ReadonlyArray<readonly [what: string, yaml: string, found: readonly string[]]> = [
  ['a sound stack', 'services: {a: {image: x}}', []],
  ['neither image nor build', 'services: {a: {}}', ['missing-key services.a']],
  ['an undefined network', 'services: {a: {image: x, networks: [n]}}', ['undefined-network services.a.networks.n']],
  ['an undefined volume', 'services: {a: {image: x, volumes: ["vol:/v"]}}', ['undefined-volume services.a.volumes.0']],
  ['an undefined secret', 'services: {a: {image: x, secrets: [s]}}', ['undefined-secret services.a.secrets.0']],
  ['an undefined config', 'services: {a: {image: x, configs: [c]}}', ['undefined-config services.a.configs.0']],
  ['an undefined service', 'services: {a: {image: x, depends_on: [b]}}', ['undefined-service services.a.depends_on.b']],
  [
    'a network shared with nobody',
    'services: {a: {image: x, network_mode: "service:b"}}',
    ['undefined-service services.a.network_mode'],
  ],
  [
    'a service that needs itself',
    'services: {a: {image: x, depends_on: [a]}}',
    ['dependency-cycle services.a.depends_on.a'],
  ],
  [
    'a circle through a network mode',
    'services: {a: {image: x, network_mode: "service:b"}, b: {image: x, depends_on: [a]}}',
    ['dependency-cycle services.b.depends_on.a'],
  ],
  [
    'a start interval that no start period makes use of',
    'services: {a: {image: x, healthcheck: {test: "true", start_interval: 1s}}}',
    ['missing-key services.a.healthcheck.start_interval'],
  ],
  [
    'a start interval with its period',
    'services: {a: {image: x, healthcheck: {test: "true", start_interval: 1s, start_period: 1s}}}',
    [],
  ],
  [
    'two mounts on one target',
    'services: {a: {image: x, volumes: ["/a:/t"], tmpfs: [/t]}}',
    ['target-clash services.a.volumes.0'],
  ],
  [
    'two containers of one name',
    'services: {a: {image: x, container_name: nn}, b: {image: x, container_name: nn}}',
    ['name-clash services.b.container_name'],
  ],
  [
    'one name for many containers',
    'services: {a: {image: x, scale: 2, container_name: nn}}',
    ['conflicting-keys services.a.container_name'],
  ],
  [
    'a port taken twice',
    'services: {a: {image: x, ports: ["80:80"]}, b: {image: x, ports: ["80:81"]}}',
    ['port-clash services.b.ports.0'],
  ],
  [
    'one port on two addresses',
    'services: {a: {image: x, ports: ["127.0.0.1:80:80"]}, b: {image: x, ports: ["127.0.0.2:80:81"]}}',
    [],
  ],
  ['one port for TCP and UDP', 'services: {a: {image: x, ports: ["53:53", "53:53/udp"]}}', []],
]

describe('checkProject() finds', () => {
  for (const [what, yaml, found] of unsound)
    test(what, async () => {
      const { project } = await load(yaml, { consistency: false })
      assert.deepEqual(
        checkProject(project).map(problem => `${problem.code} ${problem.path.join('.')}`),
        found,
      )
    })
})

test('checkProject() blocks nobody for a port that others publish too: they may run in turn', async () => {
  const turns = 'services: {a: {image: x, ports: ["80:80"]}, b: {image: x, ports: ["80:80"], depends_on: [a]}}'
  const many = 'services: {a: {image: x, scale: 2, ports: ["80:80"]}}'
  const blocked = async (yaml: string) =>
    checkProject((await load(yaml, { consistency: false })).project).map(({ code, blocks }) => [code, blocks])
  assert.deepEqual(await blocked(turns), [['port-clash', undefined]])
  assert.deepEqual(await blocked(many), [['port-of-several', undefined]])
})
