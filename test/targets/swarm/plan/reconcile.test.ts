import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { SwarmService } from '../../../../src/api/swarm-objects.ts'
import { ProblemsFailure } from '../../../../src/lib/problems.ts'
import type { Project } from '../../../../src/model/project.ts'
import { printPlan } from '../../../../src/plan/print.ts'
import { rowText, summarize } from '../../../../src/plan/summary.ts'
import { planDown } from '../../../../src/targets/swarm/plan/down.ts'
import { reconcile } from '../../../../src/targets/swarm/plan/reconcile.ts'
import { load } from '../../../stack/stacks.ts'
import { applied, nothing } from '../there.ts'

const shop = `
services:
  db:
    image: busybox:1
    deploy: {endpoint_mode: dnsrr}
    secrets: [token]
    volumes: ["data:/data"]
    healthcheck: {test: "true", interval: 1s}
  web:
    image: busybox:1
    depends_on: {db: {condition: service_healthy}}
    ports: [{target: 80, published: "8091", mode: host}]
    environment: {A: "1", PASSWORD: hush}
    configs: [{source: page, target: /page, mode: 0440}]
    deploy: {replicas: 2, update_config: {order: start-first, delay: 2s}}
volumes: {data: }
secrets: {token: {environment: TOKEN}}
configs: {page: {content: "v1"}}
`

async function project(yaml: string): Promise<Project> {
  return (await load(yaml, { env: { TOKEN: 's3cr3t' } })).project
}

const wish = {}
const rows = (plan: Parameters<typeof summarize>[0][number]) => summarize([plan]).map(rowText)

describe('the plan of up in a swarm', () => {
  test('makes networks, secrets and configs before what names them, and waits for what is needed', async () => {
    const plan = reconcile(await project(shop), nothing(), wish)
    assert.equal(
      printPlan(plan),
      [
        '#1           network shop_default              create-network  no network "shop_default"',
        '#2           secret  shop_token_0236b7854ff2   create-secret   no secret of this content',
        '#3           config  shop_page_ae3fc6927087    create-config   no config of this content',
        '#4 <1,2>     service shop_db                   create-service  no service "shop_db"',
        '#5 <4>       service shop_db                   wait-service    until "db" is up',
        '#6 <1,3,5>   service shop_web                  create-service  no service "shop_web"',
        '#7 <6>       service shop_web                  wait-service    until "web" is up',
        '',
      ].join('\n'),
    )
    assert.deepEqual(plan.warnings, [
      'No registry tells the digest of "busybox:1": nodes may run different versions of it',
    ])
  })

  test('is empty for what is there, defaults included', async () => {
    const stack = await project(shop)
    const there = applied(reconcile(stack, nothing(), wish), nothing())
    const again = reconcile(stack, there, wish)
    assert.equal(printPlan(again), '')
    assert.deepEqual(again.running, ['shop_db', 'shop_web'])
  })

  test('tells each field that differs with its old and new value, and secrets by a hash', async () => {
    const there = applied(reconcile(await project(shop), nothing(), wish), nothing())
    const other = shop
      .replace('A: "1"', 'A: "2"')
      .replace('hush', 'other')
      .replace('delay: 2s', 'delay: 3s')
      .replace('8091', '8092')
    const plan = reconcile(await project(other), there, wish)
    const [web] = rows(plan)
    assert.equal(
      web,
      '~ web: recreate  deploy.update_config.delay 2s→3s · environment.A 1→2 · environment.PASSWORD #60c7ec0f→#d448c0e0' +
        ' · ports.80/tcp/8091 -Protocol=tcp PublishMode=host PublishedPort=8091' +
        ' · ports.80/tcp/8092 +Protocol=tcp PublishMode=host PublishedPort=8092',
    )
    assert.ok(!JSON.stringify(plan.nodes.map(({ operation }) => operation.cause)).includes('hush'))
  })

  test('changes replicas, labels and ways of updating without new tasks', async () => {
    const there = applied(reconcile(await project(shop), nothing(), wish), nothing())
    const scaled = reconcile(await project(shop), there, { scale: { web: 5 } })
    assert.deepEqual(rows(scaled), ['~ web: in place  deploy.replicas 2→5'])
  })

  test('--force-recreate makes tasks anew, once', async () => {
    const stack = await project(shop)
    const there = applied(reconcile(stack, nothing(), wish), nothing())
    const forced = reconcile(stack, there, { force: true, services: ['web'] })
    assert.deepEqual(rows(forced), ['~ web: recreate  force-recreate +1'])
    assert.ok(reconcile(stack, applied(forced, there), wish).empty)
  })

  test('gives another content another name, and removes the old one after all that may still need it', async () => {
    const there = applied(reconcile(await project(shop), nothing(), wish), nothing())
    const plan = reconcile(await project(shop.replace('v1', 'v2')), there, wish)
    assert.equal(
      printPlan(plan),
      [
        '#1       config  shop_page_a99bfa7042ba   create-config   the content of config "page" has changed',
        `#2 <1>   service shop_web                 update-service  ${plan.nodes[1]?.operation.cause}`,
        '#3 <2>   service shop_web                 wait-service    until "web" is up',
        '#4 <3>   config  shop_page_ae3fc6927087   remove-config   nothing uses it any more',
        '',
      ].join('\n'),
    )
    assert.ok(reconcile(await project(shop.replace('v1', 'v2')), applied(plan, there), wish).empty)
  })

  test('pins images to the digest that a registry tells, and keeps the one there is when it tells none', async () => {
    const stack = await project(shop)
    const digests = new Map([['busybox:1', `sha256:${'a'.repeat(64)}`]])
    const there = applied(reconcile(stack, nothing({ digests }), wish), nothing())
    const image = there.services.get('shop_web')?.Spec.TaskTemplate.ContainerSpec.Image
    assert.equal(image, `busybox:1@sha256:${'a'.repeat(64)}`)
    const silent = reconcile(stack, there, wish)
    assert.ok(silent.empty)
    assert.deepEqual(silent.warnings, [])
    const newer = new Map([['busybox:1', `sha256:${'b'.repeat(64)}`]])
    assert.match(
      rows(reconcile(stack, { ...there, digests: newer }, wish)).join('\n'),
      /~ web: recreate {2}image busybox:1@sha256:a/,
    )
  })

  test('tells of services that the stack no longer has, and removes them when asked', async () => {
    const there = applied(reconcile(await project(shop), nothing(), wish), nothing())
    const less = 'services: {db: {image: "busybox:1", deploy: {endpoint_mode: dnsrr}}}'
    const told = reconcile(await project(less), there, wish)
    assert.ok(told.warnings.includes('shop_web is not in the stack: --remove-orphans removes'))
    const gone = reconcile(await project(less), there, { removeOrphans: true })
    assert.ok(rows(gone).includes('- web: remove  the stack has no such service'))
    // the config was its alone
    assert.ok(rows(gone).some(row => row.startsWith('- config shop_page_')))
  })

  test('has a mode for each of deploy.mode', async () => {
    const yaml = `
services:
  a: {image: i, deploy: {mode: global}}
  b: {image: i, deploy: {mode: replicated-job, replicas: 3}}
  c: {image: i, deploy: {mode: global-job}}
  d: {image: i, restart: "no"}
`
    const plan = reconcile(await project(yaml), nothing(), wish)
    const specs = plan.nodes.flatMap(({ operation }) => (operation.kind === 'create-service' ? [operation.spec] : []))
    assert.deepEqual(
      specs.map(({ Mode }) => Mode),
      [
        { Global: {} },
        { ReplicatedJob: { MaxConcurrent: 3, TotalCompletions: 3 } },
        { GlobalJob: {} },
        { Replicated: { Replicas: 1 } },
      ],
    )
    assert.deepEqual(
      specs.map(({ TaskTemplate, UpdateConfig }) => [
        TaskTemplate.RestartPolicy?.Condition,
        UpdateConfig !== undefined,
      ]),
      [
        ['any', true],
        ['on-failure', false],
        ['on-failure', false],
        ['none', true],
      ],
    )
    assert.ok(reconcile(await project(yaml), applied(plan, nothing()), wish).empty)
  })

  const refused = (yaml: string, message: RegExp, place: string) =>
    test(`refuses, at its place: ${message.source}`, async () => {
      const stack = await project(yaml)
      assert.throws(
        () => reconcile(stack, nothing(), wish),
        (error: unknown) => {
          assert.ok(error instanceof ProblemsFailure)
          const [problem] = error.problems
          assert.match(problem?.message ?? '', message)
          assert.equal(`${problem?.place?.file}:${problem?.place?.line}`, place)
          return true
        },
      )
    })
  refused('services:\n  a:\n    build: .\n', /no name that the nodes could pull/, 'compose.yaml:3')
  refused(
    'services:\n  a:\n    image: i\n    ports:\n      - 80:80\n    deploy: {endpoint_mode: dnsrr}\n',
    /no virtual address that a port could lead to/,
    'compose.yaml:5',
  )
  refused('services:\n  a:\n    image: i\n    network_mode: none\n', /on networks or on the host/, 'compose.yaml:4')
  refused(
    'services: {a: {image: i, secrets: [s]}}\nsecrets:\n  s: {external: true}\n',
    /the swarm has no secret "s"/,
    'compose.yaml:3',
  )
})

test('a network that has changed is made anew with all that is on it, once each', async () => {
  const yaml = (more: string) => `name: shop
services: {a: {image: i, networks: [one, two]}, b: {image: i, networks: [two], depends_on: [a]}, c: {image: i, networks: [three]}}
networks: {one: {${more}}, two: {${more}}, three: {}}
`
  const there = applied(reconcile(await project(yaml('attachable: true')), nothing(), wish), nothing())
  assert.ok(reconcile(await project(yaml('attachable: true')), there, wish).empty)
  const changed = reconcile(await project(yaml('internal: true')), there, wish)
  const kinds = changed.nodes.map(({ operation }) => `${operation.kind} ${operation.name}`)
  assert.deepEqual(kinds, [
    'remove-service shop_a',
    'wait-gone shop_a',
    'remove-network shop_one',
    'create-network shop_one',
    'remove-service shop_b',
    'wait-gone shop_b',
    'remove-network shop_two',
    'create-network shop_two',
    'create-service shop_a',
    'wait-service shop_a',
    'create-service shop_b',
    'wait-service shop_b',
  ])
  const rows = summarize([changed]).map(rowText)
  assert.deepEqual(rows, [
    '~ network shop_one: recreate  "internal" and "attachable" have changed',
    '~ network shop_two: recreate  "internal" and "attachable" have changed',
    '~ a: recreate  a network of it is made anew',
    '~ b: recreate  a network of it is made anew',
  ])
  const after = applied(changed, there)
  assert.ok(reconcile(await project(yaml('internal: true')), after, wish).empty)
})

test('a network stays while services are on it that are not brought up', async () => {
  const yaml = (more: string, others = '') => `services: {a: {image: i}${others}}\nnetworks: {default: {${more}}}\n`
  const there = applied(reconcile(await project(yaml('', ', b: {image: i}')), nothing(), wish), nothing())
  const stack = await project(yaml('internal: true', ', b: {image: i}'))
  assert.throws(() => reconcile(stack, there, { services: ['a'] }), /"internal" cannot change while "\S+_b" is on it/)
  const fewer = await project(yaml('internal: true'))
  assert.throws(() => reconcile(fewer, there, wish), /cannot change while/)
})

test('a bind asks for nothing that a swarm does not keep', async () => {
  const plan = reconcile(await project('services: {a: {image: i, volumes: ["/tmp:/host:ro"]}}'), nothing(), wish)
  const made = plan.nodes.flatMap(({ operation }) => (operation.kind === 'create-service' ? [operation.spec] : []))
  // swarmkit drops CreateMountpoint, which would be a change at each up
  const mount = { Type: 'bind', Target: '/host', ReadOnly: true, Source: '/tmp', BindOptions: {} }
  assert.deepEqual(made[0]?.TaskTemplate.ContainerSpec.Mounts, [mount])
})

test('down removes services, then what they held, and no volume', async () => {
  const there = applied(reconcile(await project(shop), nothing(), wish), nothing())
  assert.equal(
    printPlan(planDown('shop', there, {})),
    [
      '#1         service shop_db                   remove-service  down',
      '#2 <1>     service shop_db                   wait-gone       its tasks hold networks',
      '#3         service shop_web                  remove-service  down',
      '#4 <3>     service shop_web                  wait-gone       its tasks hold networks',
      '#5 <2,4>   network shop_default              remove-network  down',
      '#6 <2,4>   secret  shop_token_0236b7854ff2   remove-secret   down',
      '#7 <2,4>   config  shop_page_ae3fc6927087    remove-config   down',
      '',
    ].join('\n'),
  )
  assert.throws(() => planDown('shop', there, { services: ['other'] }), /no such service: other/)
})

/** As Docker Engine 28.5 gave it back for the stack below, with the ids shortened. */
const real: SwarmService = {
  ID: '96syrzfcrhq6',
  Version: { Index: 18 },
  ServiceStatus: { CompletedTasks: 0, DesiredTasks: 1, RunningTasks: 1 },
  Spec: {
    Name: 'shop_y',
    Labels: {
      a: 'b',
      'com.docker.compose.project': 'shop',
      'com.docker.compose.service': 'y',
      'com.docker.stack.image': 'busybox:latest',
      'com.docker.stack.namespace': 'shop',
    },
    TaskTemplate: {
      ContainerSpec: {
        Image: 'busybox:latest',
        Labels: { 'com.docker.stack.namespace': 'shop' },
        Args: ['sleep', '1000'],
        Init: true,
        StopGracePeriod: 10_000_000_000,
        Healthcheck: { Test: ['CMD', 'true'], Interval: 1_000_000_000 },
        Hosts: ['10.0.0.1 h'],
        DNSConfig: { Nameservers: ['1.1.1.1'] },
        Isolation: 'default',
        Sysctls: { 'net.ipv4.ip_forward': '1' },
      },
      Resources: { Limits: { NanoCPUs: 500_000_000, MemoryBytes: 104_857_600, Pids: 10 }, Reservations: {} },
      RestartPolicy: { Condition: 'any', Delay: 5_000_000_000, MaxAttempts: 0 },
      Placement: { Constraints: ['node.role==manager'] },
      Networks: [{ Target: 'sfxmo0h8rkqw', Aliases: ['y', 'web'] }],
      LogDriver: { Name: 'json-file', Options: { 'max-size': '1m' } },
      ForceUpdate: 0,
      Runtime: 'container',
    },
    Mode: { Replicated: { Replicas: 1 } },
    UpdateConfig: {
      Parallelism: 1,
      FailureAction: 'pause',
      Monitor: 5_000_000_000,
      MaxFailureRatio: 0,
      Order: 'start-first',
    },
    RollbackConfig: {
      Parallelism: 1,
      FailureAction: 'pause',
      Monitor: 5_000_000_000,
      MaxFailureRatio: 0,
      Order: 'stop-first',
    },
    EndpointSpec: {
      Mode: 'dnsrr',
      Ports: [{ Protocol: 'tcp', TargetPort: 80, PublishedPort: 8080, PublishMode: 'host' }],
    },
  },
}

test('what an engine gives back of a service is no change, and drift on it is told', async () => {
  const stack = await project(`
services:
  y:
    image: busybox:latest
    command: sleep 1000
    init: true
    healthcheck: {test: [CMD, "true"], interval: 1s}
    extra_hosts: ["h=10.0.0.1"]
    dns: [1.1.1.1]
    sysctls: {net.ipv4.ip_forward: "1"}
    networks: {default: {aliases: [web]}}
    logging: {driver: json-file, options: {max-size: 1m}}
    ports: [{target: 80, published: "8080", mode: host}]
    deploy:
      labels: {a: b}
      endpoint_mode: dnsrr
      resources: {limits: {cpus: "0.5", memory: 100M, pids: 10}}
      placement: {constraints: ["node.role==manager"]}
      update_config: {order: start-first}
`)
  const [network] = [...applied(reconcile(stack, nothing(), wish), nothing()).networks.values()]
  const networks = new Map([['shop_default', { ...network!, Id: 'sfxmo0h8rkqw' }]])
  const there = nothing({ networks, services: new Map([['shop_y', real]]) })
  assert.deepEqual(rows(reconcile(stack, there, wish)), [])
  const { ContainerSpec } = real.Spec.TaskTemplate
  const drifted: SwarmService = {
    ...real,
    Spec: {
      ...real.Spec,
      TaskTemplate: { ...real.Spec.TaskTemplate, ContainerSpec: { ...ContainerSpec, Env: ['BY_HAND=1'], Init: false } },
    },
  }
  assert.deepEqual(rows(reconcile(stack, { ...there, services: new Map([['shop_y', drifted]]) }, wish)), [
    '~ y: recreate  environment.BY_HAND -1 · init false→true',
  ])
})
