import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { freeze, thaw } from '../../../../src/model/frozen.ts'
import type { SeenFile } from '../../../../src/targets/kubernetes/objects/given-input.ts'
import { load } from '../../../stack/stacks.ts'
import { asYaml, made, madeOf, objectOf } from '../inputs.ts'

const a = (fields: string, rest = '') =>
  `name: shop\nservices:\n  a:\n    image: i\n${fields.replace(/^/gm, '    ')}\n${rest}`
const workloads = async (fields: string, rest = '') =>
  (await madeOf(a(fields, rest))).wanted
    .filter(({ service }) => service === 'a')
    .map(({ manifest }) => manifest.kind)
    .filter(kind => kind !== 'Service')
// biome-ignore lint/suspicious/noExplicitAny: tests reach into it freely
const template = async (fields: string, kind = 'Deployment', rest = ''): Promise<any> =>
  objectOf(await madeOf(a(fields, rest)), `${kind} a`).spec.template
// biome-ignore lint/suspicious/noExplicitAny: tests reach into it freely
const containerOf = async (fields: string, kind?: string, rest?: string): Promise<any> =>
  (await template(fields, kind, rest)).spec.containers[0]

describe('what runs a service', () => {
  const data = 'volumes: {data: }'
  const other = '  b: {image: i, depends_on: {a: {condition: service_completed_successfully}}}'
  for (const [fields, kind, rest = ''] of [
    ['restart: always', 'Deployment'],
    ['tty: true', 'Deployment'],
    ['restart: "no"', 'Job'],
    ['restart: on-failure:3', 'Job'],
    ['deploy: {restart_policy: {condition: none}}', 'Job'],
    ['deploy: {mode: replicated-job}', 'Job'],
    // nobody says when it is started again, but somebody waits for its end
    ['tty: true', 'Job', other],
    ['restart: always', 'Deployment', other],
    ['deploy: {mode: global}', 'DaemonSet'],
    ['x-schedule: "@daily"', 'CronJob'],
    ['volumes: ["data:/d"]', 'Deployment', data],
    ['volumes: ["data:/d"]\nscale: 2', 'StatefulSet', data],
    ['volumes: ["data:/d"]\nscale: 2', 'Deployment', `  b: {image: i, volumes: ["data:/d"]}\n${data}`],
    ['volumes: ["data:/d"]\nscale: 2', 'Deployment', 'volumes: {data: {external: true}}'],
  ] as const)
    test(`${fields} ${rest}`.replaceAll('\n', ' '), async () => assert.deepEqual(await workloads(fields, rest), [kind]))

  test('is the same of a stack that was kept and read again, as a rollback has it', async () => {
    const { project } = await load(a('deploy: {restart_policy: {condition: none}}'))
    const again = thaw(JSON.parse(JSON.stringify(freeze(project))))
    assert.equal(
      asYaml(made(again).wanted.map(({ manifest }) => manifest)),
      asYaml(made(project).wanted.map(({ manifest }) => manifest)),
    )
    assert.ok(objectOf(made(again), 'Job a'))
  })

  test('a job is tried again as often as it says', async () => {
    const limit = async (fields: string) => {
      const { spec } = objectOf(await madeOf(a(fields)), 'Job a')
      return [spec.backoffLimit, spec.template.spec.restartPolicy]
    }
    assert.deepEqual(await limit('restart: "no"'), [0, 'Never'])
    assert.deepEqual(await limit('restart: on-failure:3'), [3, 'OnFailure'])
    assert.deepEqual(await limit('restart: on-failure'), [2147483647, 'OnFailure'])
  })

  test('a schedule is that of a cluster, and one with seconds is refused at its place', async () => {
    const made = await madeOf(
      a('x-schedule: {cron: "0 3 * * 1", timezone: Europe/Berlin, concurrency: replace, history: 2}'),
    )
    const { jobTemplate, ...spec } = objectOf(made, 'CronJob a').spec
    assert.deepEqual(spec, {
      schedule: '0 3 * * 1',
      timeZone: 'Europe/Berlin',
      concurrencyPolicy: 'Replace',
      startingDeadlineSeconds: 60,
      successfulJobsHistoryLimit: 2,
      failedJobsHistoryLimit: 2,
    })
    assert.equal(jobTemplate.spec.template.spec.containers[0].image, 'i')
    const { refused } = await madeOf(a('x-schedule: "0 0 3 * * 1"'))
    assert.match(refused[0]!, /^services\.a\.x-schedule .*five fields/)
  })

  test('an update goes as the stack says, and one at a time gives way where a volume or port is held', async () => {
    const strategy = async (fields: string, rest?: string) =>
      objectOf(await madeOf(a(fields, rest)), 'Deployment a').spec.strategy
    assert.equal(await strategy('tty: true'), undefined)
    assert.deepEqual(await strategy('deploy: {update_config: {order: start-first, parallelism: 2}}'), {
      type: 'RollingUpdate',
      rollingUpdate: { maxSurge: 2, maxUnavailable: 0 },
    })
    assert.deepEqual(await strategy('deploy: {update_config: {parallelism: 0}}'), {
      type: 'RollingUpdate',
      rollingUpdate: { maxSurge: 0, maxUnavailable: '100%' },
    })
    assert.deepEqual(await strategy('volumes: ["data:/d"]', data), { type: 'Recreate' })
    assert.deepEqual(await strategy('ports: [{target: 80, published: "80", mode: host}]'), { type: 'Recreate' })
  })
})

describe('the container of a service', () => {
  test('is given its words as they stand: $(A) is nothing that a cluster should replace', async () => {
    const { command, args, env } = await containerOf(
      'entrypoint: ["sh", "-c"]\ncommand: ["echo $$(A)"]\nenvironment: {A: "$$(B)", C: null, D: ""}',
    )
    assert.deepEqual(command, ['sh', '-c'])
    assert.deepEqual(args, ['echo $$(A)'])
    assert.deepEqual(env, [
      { name: 'A', value: '$$(B)' },
      { name: 'D', value: '' },
    ])
  })

  test('is ready by its healthcheck, and ends by it only where the stack says so', async () => {
    const check = 'healthcheck: {test: test -e /x, interval: 1500ms, timeout: 2s, retries: 4, start_period: 9s}'
    const probe = {
      exec: { command: ['/bin/sh', '-c', 'test -e /x'] },
      periodSeconds: 2,
      timeoutSeconds: 2,
      failureThreshold: 4,
    }
    const { readinessProbe, livenessProbe } = await containerOf(check)
    assert.deepEqual([readinessProbe, livenessProbe], [probe, undefined])
    const strict = await containerOf(`${check}\nx-on-unhealthy: restart`)
    assert.deepEqual([strict.readinessProbe, strict.livenessProbe], [probe, probe])
    assert.deepEqual(strict.startupProbe, { ...probe, failureThreshold: 9 })
    const exec = await containerOf('healthcheck: {test: [CMD, ok, "1"]}')
    assert.deepEqual(exec.readinessProbe.exec.command, ['ok', '1'])
    assert.equal((await containerOf('healthcheck: {disable: true}')).readinessProbe, undefined)
  })

  test('has resources as a cluster writes them', async () => {
    const { resources } = await containerOf(
      'cpus: 0.5\nmem_limit: 64m\ndeploy: {resources: {reservations: {cpus: "2", memory: 1000b, devices: [{capabilities: [gpu], count: 2}]}}}',
    )
    assert.deepEqual(resources, {
      limits: { cpu: '500m', memory: '64Mi', 'nvidia.com/gpu': '2' },
      requests: { cpu: '2', memory: '1000' },
    })
  })

  test('has the rights the stack says, those of the pod apart', async () => {
    const { spec } = await template(
      'user: "1000:nobody"\ngroup_add: ["7"]\ncap_add: [CAP_NET_ADMIN]\ncap_drop: [all]\nread_only: true\nsysctls: {net.core.somaxconn: 1}\nsecurity_opt: ["no-new-privileges:true", "seccomp=unconfined", "apparmor=own"]',
    )
    assert.deepEqual(spec.securityContext, {
      supplementalGroups: [7],
      sysctls: [{ name: 'net.core.somaxconn', value: '1' }],
      seccompProfile: { type: 'Unconfined' },
      appArmorProfile: { type: 'Localhost', localhostProfile: 'own' },
    })
    assert.deepEqual(spec.containers[0].securityContext, {
      runAsUser: 1000,
      runAsGroup: 65534,
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { add: ['NET_ADMIN'], drop: ['ALL'] },
    })
    assert.equal((await template('privileged: true')).spec.containers[0].securityContext.privileged, true)
    const { refused } = await madeOf(a('user: www-data'))
    assert.match(refused[0]!, /^services\.a\.user Cannot run service "a" as "www-data" in a cluster: it takes numbers/)
  })

  test('runs hooks before its start as containers of their own, and one after it and before its end', async () => {
    const { spec } = await template(
      'pre_start: [{command: [x], image: j, per_replica: true}]\npost_start: [{command: [y]}]\npre_stop: [{command: [z]}]\nstop_signal: int',
    )
    assert.deepEqual(
      spec.initContainers.map((each: { image: string; command: string[] }) => [each.image, each.command]),
      [['j', ['x']]],
    )
    assert.deepEqual(spec.containers[0].lifecycle, {
      postStart: { exec: { command: ['y'] } },
      preStop: { exec: { command: ['z'] } },
      stopSignal: 'SIGINT',
    })
    assert.deepEqual(spec.os, { name: 'linux' })
    const { refused } = await madeOf(a('pre_stop: [{command: [x]}, {command: [y]}]'))
    assert.match(refused[0]!, /^services\.a\.pre_stop Cannot run 2 pre_stop hooks/)
  })

  test('runs on the nodes that placement says', async () => {
    const { spec } = await template(
      'platform: linux/arm64\ndeploy: {placement: {constraints: ["node.role != manager", "node.labels.disk == ssd"], preferences: [{spread: node.labels.zone}], max_replicas_per_node: 1}}',
    )
    assert.deepEqual(spec.nodeSelector, { 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'arm64' })
    assert.deepEqual(spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms, [
      {
        matchExpressions: [
          { key: 'node-role.kubernetes.io/control-plane', operator: 'DoesNotExist' },
          { key: 'disk', operator: 'In', values: ['ssd'] },
        ],
      },
    ])
    assert.equal(spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution.length, 1)
    assert.deepEqual(
      spec.topologySpreadConstraints.map((each: { topologyKey: string }) => each.topologyKey),
      ['zone'],
    )
    const { refused } = await madeOf(a('deploy: {placement: {constraints: ["engine.labels.x == 1"]}}'))
    assert.match(refused[0]!, /^services\.a\.deploy\.placement\.constraints\.0 /)
  })
})

describe('what is mounted', () => {
  test('configs and secrets are named by their content, which nothing else shows', async () => {
    const stack = (content: string) =>
      a(
        'configs: [{source: page, target: /p, mode: 0440}]\nsecrets: [token]',
        `configs: {page: {content: "${content}"}}\nsecrets: {token: {environment: TOKEN}}`,
      )
    const env = { TOKEN: 's3cr3t' }
    const one = await madeOf(stack('v1'), { env })
    const two = await madeOf(stack('v2'), { env })
    const names = (made: typeof one, kind: string) =>
      made.wanted.filter(({ manifest }) => manifest.kind === kind).map(({ manifest }) => manifest.metadata.name)
    assert.match(names(one, 'ConfigMap')[0]!, /^shop-page-[0-9a-f]{10}$/)
    assert.notDeepEqual(names(one, 'ConfigMap'), names(two, 'ConfigMap'))
    assert.deepEqual(names(one, 'Secret'), names(two, 'Secret'))
    const secret = objectOf(one, `Secret ${names(one, 'Secret')[0]}`)
    assert.deepEqual([secret.immutable, secret.data.content], [true, Buffer.from('s3cr3t').toString('base64')])
    const { volumes, containers } = objectOf(one, 'Deployment a').spec.template.spec
    assert.deepEqual(volumes[0].configMap.items, [{ key: 'content', path: 'content', mode: 0o440 }])
    assert.deepEqual(
      containers[0].volumeMounts.map((each: { mountPath: string; subPath: string }) => [each.mountPath, each.subPath]),
      [
        ['/p', 'content'],
        ['/run/secrets/token', 'content'],
      ],
    )
    const unset = await madeOf(stack('v1'))
    assert.match(unset.refused[0]!, /^secrets\.token .*variable "TOKEN" is not set/)
  })

  test('a volume is a claim, shared where several services have it, and one a replica where one has it alone', async () => {
    const claimModes = async (yaml: string) => {
      const made = await madeOf(yaml)
      return made.wanted.flatMap(({ manifest: { kind, metadata, spec } }) =>
        kind === 'PersistentVolumeClaim' ? [[metadata.name, spec?.['accessModes']]] : [],
      )
    }
    assert.deepEqual(await claimModes(a('volumes: ["vol:/d"]', 'volumes: {vol: {driver_opts: {size: 5Gi}}}')), [
      ['shop-vol', ['ReadWriteOnce']],
    ])
    assert.deepEqual(
      await claimModes(a('volumes: ["vol:/d"]', '  b: {image: i, volumes: ["vol:/d"]}\nvolumes: {vol: }')),
      [['shop-vol', ['ReadWriteMany']]],
    )
    const several = await madeOf(
      a('volumes: ["vol:/d"]\nscale: 2', 'volumes: {vol: {driver_opts: {size: 5Gi, storage_class: fast}}}'),
    )
    const [claim] = objectOf(several, 'StatefulSet a').spec.volumeClaimTemplates
    assert.deepEqual(claim.spec, {
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'fast',
      resources: { requests: { storage: '5Gi' } },
    })
    assert.match(several.notices[0]!, /^volumes\.vol each replica of "a"/)
  })

  test('small files of this machine are copied, and told of; what cannot be is refused at its place', async () => {
    const seen = (contents: Readonly<Record<string, string>>, kind: 'file' | 'folder') =>
      ({
        kind,
        contents: new Map(Object.entries(contents).map(([place, text]) => [place, Buffer.from(text)])),
      }) as const
    const yaml = a('volumes: ["/etc/x:/x:ro", "/srv/y:/y", "/run/z:/z"]')
    const files = new Map<string, SeenFile>([
      ['/etc/x', seen({ '': 'one' }, 'file')],
      ['/srv/y', seen({ 'a/b': '2', a_b: '3' }, 'folder')],
      ['/run/z', { kind: 'none', why: 'it is neither a file nor a folder' }],
    ])
    const made = await madeOf(yaml, { files })
    assert.match(made.refused[0]!, /^services\.a\.volumes\.2 Cannot mount "\/run\/z" of this machine: it is neither/)
    assert.match(made.notices[0]!, /^services\.a\.volumes\.1 .*cannot be written/)
    const { volumes, containers } = objectOf(made, 'Deployment a').spec.template.spec
    assert.deepEqual(
      containers[0].volumeMounts.map((each: { mountPath: string; subPath?: string }) => [each.mountPath, each.subPath]),
      [
        ['/x', 'content'],
        ['/y', undefined],
      ],
    )
    assert.deepEqual(volumes[1].configMap.items, [
      { key: 'a_b', path: 'a/b' },
      { key: '1-a_b', path: 'a_b' },
    ])
    const onNodes = await madeOf(a('volumes: ["/run/z:/z"]\nx-host-path: true'), { files })
    assert.deepEqual(objectOf(onNodes, 'Deployment a').spec.template.spec.volumes[0].hostPath, {
      path: '/run/z',
      type: 'DirectoryOrCreate',
    })
  })
})

describe('how a service is reached', () => {
  test('by its name and its other names, with an address of its own where it has ports', async () => {
    const made = await madeOf(
      a(
        'ports: ["8080:80", "53:53/udp"]\nexpose: ["9000"]\nnetworks: {default: {aliases: [other]}}',
        '  b: {image: i, links: ["a:link"]}',
      ),
    )
    for (const name of ['a', 'other', 'link'])
      assert.deepEqual(
        objectOf(made, `Service ${name}`).spec.ports.map((each: { name: string; port: number }) => each.name),
        ['tcp-80', 'udp-53', 'tcp-9000'],
      )
    assert.equal(objectOf(made, 'Service b').spec.clusterIP, 'None')
    assert.throws(() => objectOf(made, 'Service a-published'))
  })

  test('from outside where x-expose says how', async () => {
    const made = await madeOf(a('ports: ["8080:80"]\nx-expose: LoadBalancer'))
    const { type, ports } = objectOf(made, 'Service a-published').spec
    assert.equal(type, 'LoadBalancer')
    assert.deepEqual(ports, [{ name: 'tcp-8080', port: 8080, targetPort: 80, protocol: 'TCP' }])
  })

  test('from outside on a port of each node, where it is one that nodes have', async () => {
    const made = await madeOf(a('ports: ["30080:80", "8080:81"]\nx-expose: NodePort'))
    assert.deepEqual(
      objectOf(made, 'Service a-published').spec.ports.map((each: { nodePort?: number }) => each.nodePort),
      [30080, undefined],
    )
    assert.match(
      made.notices[0]!,
      /^services\.a\.ports\.1 nodes have ports 30000 to 32767 for this: the cluster chooses one for 8080/,
    )
  })

  test('by pods of its networks alone; what is internal reaches nothing else', async () => {
    const made = await madeOf(
      a(
        'networks: [front, back]',
        '  b: {image: i, networks: [back]}\n  c: {image: i, network_mode: none}\nnetworks: {front: , back: {internal: true}}',
      ),
    )
    const types = (name: string) => objectOf(made, `NetworkPolicy ${name}`).spec.policyTypes
    assert.deepEqual(types('shop-back'), ['Ingress', 'Egress'])
    assert.deepEqual(objectOf(made, 'NetworkPolicy shop-front').spec.egress, [{}])
    assert.deepEqual(objectOf(made, 'NetworkPolicy c-none').spec.ingress, undefined)
    const { labels } = objectOf(made, 'Deployment a').spec.template.metadata
    assert.equal(labels['network.tscompose.dev/shop-back'], '')
    assert.equal(labels['network.tscompose.dev/shop-front'], '')
  })
})

test('what no cluster would run is refused at its place', async () => {
  const where = async (fields: string, rest?: string) =>
    (await madeOf(a(fields, rest))).refused.map(each => each.split(' ')[0])
  assert.deepEqual(await where('network_mode: "service:b"', '  b: {image: i}'), ['services.a.network_mode'])
  assert.deepEqual(await where('pid: "service:b"', '  b: {image: i}'), ['services.a.pid'])
  assert.deepEqual(await where('deploy: {mode: global-job}'), ['services.a.deploy.mode'])
  assert.deepEqual(await where('volumes_from: [b]', '  b: {image: i}'), ['services.a.volumes_from'])
  assert.deepEqual(await where('extra_hosts: ["h:host-gateway"]'), ['services.a.extra_hosts.0'])
  assert.deepEqual(await where('gpus: all'), ['services.a'])
  assert.deepEqual(await where('networks: {default: {aliases: [b]}}', '  b: {image: i}'), ['services.b'])
})

test('the same stack gives the same bytes', async () => {
  const yaml = a('ports: ["80"]\nvolumes: ["vol:/d"]', 'volumes: {vol: }')
  const text = async () => asYaml((await madeOf(yaml)).wanted.map(({ manifest }) => manifest))
  assert.equal(await text(), await text())
})
