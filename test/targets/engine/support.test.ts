import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { attributePaths, usesOf } from '../../../src/stack/attributes.ts'
import { labels } from '../../../src/targets/engine/labels.ts'
import { planBuilds } from '../../../src/targets/engine/plan/builds.ts'
import { planDown } from '../../../src/targets/engine/plan/down.ts'
import { planPull } from '../../../src/targets/engine/plan/images.ts'
import { reconcile } from '../../../src/targets/engine/plan/reconcile.ts'
import {
  dependsOnEngine,
  doubtful,
  engineKinds,
  supportRules,
  supportTable,
  unsupported,
} from '../../../src/targets/engine/support.ts'
import { rulesOf } from '../../../src/watch/rules.ts'
import { loadFiles } from '../../stack/stacks.ts'
import { applied, image, nothing } from './plan/project.ts'
import { type Data, files, on, stacks } from './stacks.ts'
import { without } from './without.ts'

/** What no plan of `up` shows, and where it is read instead. */
const elsewhere: Readonly<Record<string, string>> = {
  'services.*.attach': 'up in the foreground: which output is followed',
  'services.*.depends_on.*.restart': 'restart, and up after a change: what is restarted with a dependency',
  'services.*.depends_on.*.required': 'of a dependency that is not there or does not get well',
  'services.*.env_file.*.required': 'of a file that is not there',
  'secrets.*.name': 'the name in a swarm; a secret of a file has none here',
  'volumes.*.external.name': 'the same as volumes.*.name',
  'configs.*.name': 'the name in a swarm; a config of a file has none here',
  ...Object.fromEntries(
    ['update_config', 'rollback_config'].flatMap(name =>
      ['', '.parallelism', '.delay', '.failure_action', '.monitor', '.max_failure_ratio', '.order'].map(member => [
        `services.*.deploy.${name}${member}`,
        'up after a change of what runs: golden/plan/update-*, apply/rollouts',
      ]),
    ),
  ),
}

/** The plan of `up` on a machine that has all images and nothing else, and the rules of `watch`; without the hash of the configuration, which tells all. */
async function evidence(stack: Data): Promise<string> {
  let directory = ''
  try {
    const { project } = await loadFiles({ ...files, 'compose.yaml': JSON.stringify(stack) }, { env: { PATH: '/bin' } })
    directory = project.directory
    const named = new Map(['mm', 'ww', 'm', 'w'].map(name => [name, { id: name, name, labels: {} }] as const))
    const images = new Map(Object.values(project.services).map(service => [service.image ?? '', image('sha256:1')]))
    const hashes = new Map(
      [...Object.values(project.secrets), ...Object.values(project.configs)].flatMap(({ source }) =>
        source.kind === 'file' ? [[source.file, `hash of ${source.file}`] as const] : [],
      ),
    )
    const observed = nothing({ networks: named, volumes: named, images, files: hashes })
    const plan = reconcile(project, observed, { wait: true })
    // hooks before a stop are those of the plan of down
    const hooks = planDown(project, applied(plan, observed)).nodes.flatMap(({ operation }) =>
      operation.kind === 'run-hook' ? [operation.hook] : [],
    )
    const builds = planBuilds(project, observed, { when: 'always' }).nodes
    const watched = rulesOf(project, { ignoreFiles: new Map(), build: true }).rules
    const shown = [planPull(project, observed).nodes, builds, plan.nodes, plan.warnings, hooks, watched]
    return JSON.stringify(shown, (key, value) =>
      key === labels.configHash || key === labels.fields ? undefined : value,
    ).replaceAll(directory, 'HERE')
  } catch (error) {
    return `refused: ${(error as Error).message.replaceAll(directory, 'HERE')}`
  }
}

const all = attributePaths()

describe('every attribute that support calls honoured changes the plan', () => {
  const honoured = supportTable(all).filter(({ level }) => level === 'honoured')
  for (const { path } of honoured)
    test(path, async () => {
      if (elsewhere[path] !== undefined) return
      const users = stacks.map(stack => [stack, without(stack, path)]).filter(([, changed]) => changed !== undefined)
      assert.ok(users.length > 0, `no stack of this test uses ${path}`)
      const changes = await Promise.all(
        users.map(async ([stack, changed]) => {
          const before = await evidence(stack)
          assert.doesNotMatch(before, /^refused/)
          return before !== (await evidence(changed))
        }),
      )
      assert.ok(changes.includes(true), `${path} is accepted and ends nowhere`)
    })
})

describe('every attribute that support calls honoured in part or not at all', () => {
  const doubts: readonly Data[] = [
    on(
      {
        build: {
          context: '.',
          isolation: 'hyperv',
          provenance: 'mode=max',
          sbom: true,
          secrets: [{ source: 's', uid: '1', gid: '1', mode: 0o400 }],
        },
        blkio_config: { weight: 10, weight_device: [{ path: '/dev/a', weight: 10 }] },
        cpu_count: 1,
        cpu_percent: 1,
        cpu_rt_period: 1,
        cpu_rt_runtime: 1,
        credential_spec: { file: 'x' },
        deploy: {
          mode: 'global',
          endpoint_mode: 'dnsrr',
          labels: { a: '1' },
          update_config: {},
          rollback_config: {},
          placement: {},
          resources: { reservations: { cpus: '1', generic_resources: [], devices: [{ capabilities: ['gpu'] }] } },
          restart_policy: { condition: 'any', delay: '1s', window: '1s', max_attempts: 3 },
        },
        external_links: ['x'],
        gpus: 'all',
        isolation: 'process',
        logging: { driver: 'splunk' },
        models: ['m'],
        networks: { n: { driver_opts: { a: 'b' } } },
        post_start: [],
        pre_stop: [],
        provider: { type: 'x' },
        pull_refresh_after: '1d',
        runtime: 'crun',
        secrets: ['s'],
        configs: ['c'],
        storage_opt: { size: '1g' },
        use_api_socket: true,
        userns_mode: 'other',
        volumes: [{ type: 'bind', source: '/x', target: '/b', bind: { selinux: 'z' } }, 'vv:/v'],
      },
      {
        models: { m: { model: 'x' } },
        networks: { n: { driver: 'macvlan', enable_ipv4: false, ipam: { driver: 'x', options: { a: 'b' } } } },
        volumes: { vv: { driver: 'nfs' } },
        secrets: { s: { environment: 'HOME', driver: 'x', driver_opts: { a: 'b' }, template_driver: 'x' } },
        configs: { c: { external: true, template_driver: 'x' } },
      },
    ),
    on({ secrets: ['s'] }, { secrets: { s: { external: true } } }),
  ]
  const loading = Promise.all(
    doubts.map(stack => loadFiles({ 'compose.yaml': JSON.stringify(stack) }, { consistency: false })),
  )
  for (const engine of engineKinds)
    for (const attribute of doubtful(engine))
      test(`is warned of with ${engine}: ${attribute}`, async () => {
        const found = (await loading).flatMap(({ tree }) => unsupported(usesOf(tree, [attribute]), engine))
        assert.ok(found.length > 0)
      })

  test('has a note, is an attribute of the format, and is nothing that "unless" makes whole for good', () => {
    for (const engine of engineKinds)
      for (const [attribute, rule] of Object.entries(supportRules(engine))) {
        assert.ok(all.includes(attribute), attribute)
        assert.ok(rule.note.length > 0, attribute)
        assert.ok(!(rule.unless instanceof RegExp && rule.unless.test('anything')), attribute)
      }
    assert.ok(all.length > 350, `${all.length} attributes`)
  })
})

describe('unsupported()', () => {
  const found = async (service: Data, engine: 'tscompose' | 'docker') => {
    const { tree } = await loadFiles({ 'compose.yaml': JSON.stringify(on(service)) })
    return unsupported(usesOf(tree, engineKinds.flatMap(doubtful)), engine).map(problem => problem.message)
  }

  test('says nothing against a Docker Engine of what Docker honours', async () => {
    const own = { storage_opt: { size: '1g' }, cpu_rt_period: 1, logging: { driver: 'splunk' } }
    assert.deepEqual(await found(own, 'docker'), [])
    assert.equal((await found(own, 'tscompose')).length, 3)
    assert.equal((await found({ cpu_count: 1 }, 'docker')).length, 1)
  })

  test('of an engine without root rights, tells in the table what differs, and leaves warnings to the engine, which knows its user', async () => {
    const own = { mem_limit: '64m', privileged: true, devices: ['/dev/fuse'], storage_opt: { size: '1g' } }
    const { tree } = await loadFiles({ 'compose.yaml': JSON.stringify(on(own)) })
    const of = (engine: 'tscompose' | 'rootless') => unsupported(usesOf(tree, engineKinds.flatMap(doubtful)), engine)
    assert.deepEqual(of('rootless'), of('tscompose'))
    const rows = new Map(supportTable(all, 'rootless').map(row => [row.path, row]))
    for (const path of [
      'services.*.mem_limit',
      'services.*.deploy.resources.limits.memory',
      'services.*.ports',
      'services.*.privileged',
    ])
      assert.equal(rows.get(path)?.level, 'partly', path)
    assert.match(rows.get('services.*.ports')!.note!, /ip_unprivileged_port_start/)
    assert.equal(rows.get('services.*.storage_opt')?.level, 'no')
    assert.equal(rows.get('services.*.image')?.level, 'honoured')
  })

  test('says nothing of a value that is honoured', async () => {
    assert.deepEqual(await found({ gpus: 'all', devices: ['vendor.com/card=a'] }, 'tscompose'), [])
    assert.deepEqual(await found({ logging: { driver: 'json-file' }, deploy: { mode: 'replicated' } }, 'tscompose'), [])
  })

  test('tells what a Docker Engine does not count, and nothing of what it does', async () => {
    const tells = async (condition: string | undefined, mode = 'replicated') =>
      (await found({ deploy: { mode, restart_policy: { condition, max_attempts: 3 } } }, 'docker')).length > 0
    assert.deepEqual(
      await Promise.all([
        tells('any'),
        tells('unless-stopped'),
        tells('on-failure'),
        tells('none'),
        tells(undefined),
        tells('any', 'replicated-job'),
      ]),
      [true, true, false, false, false, false],
    )
    assert.deepEqual(
      await found({ deploy: { restart_policy: { condition: 'any', max_attempts: 3 } } }, 'tscompose'),
      [],
    )
  })

  test('speaks once of each attribute, at the first place, with a count', async () => {
    const { tree } = await loadFiles({
      'compose.yaml': 'services:\n  a: {image: x, cpu_count: 1}\n  b: {image: x, cpu_count: 1}\n',
    })
    const [first, ...others] = unsupported(usesOf(tree, doubtful('tscompose')), 'tscompose')
    assert.deepEqual([first?.place?.line, others], [2, []])
    assert.match(first?.message ?? '', /here and in 1 more place/)
  })

  test('depends on the engine only where an engine has a rule of its own', async () => {
    const uses = async (service: Data) =>
      usesOf((await loadFiles({ 'compose.yaml': JSON.stringify(on(service)) })).tree, engineKinds.flatMap(doubtful))
    assert.equal(dependsOnEngine(await uses({ cpu_count: 1 })), false)
    assert.equal(dependsOnEngine(await uses({ cpu_rt_period: 1 })), true)
  })
})
