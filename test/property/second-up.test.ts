/**
 * What changes nothing recreates nothing, over the whole format: the stacks that between them use every attribute are brought up on an engine
 * in memory. And what changes one thing is told by that thing's name.
 */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { run } from '../../src/apply/run.ts'
import type { Project } from '../../src/model/project.ts'
import { printPlan } from '../../src/plan/print.ts'
import { type Row, rowText, summarize } from '../../src/plan/summary.ts'
import { attributePaths } from '../../src/stack/attributes.ts'
import { loadStack } from '../../src/stack/load.ts'
import { converge, foresee } from '../../src/targets/engine/converge.ts'
import { enginePerformer } from '../../src/targets/engine/perform/operations.ts'
import { imagesOf } from '../../src/targets/engine/plan/images.ts'
import { supportTable } from '../../src/targets/engine/support.ts'
import { type Data, files, stacks } from '../targets/engine/stacks.ts'
import { without } from '../targets/engine/without.ts'
import { FakeEngine } from './fake-engine.ts'

/** A folder with a stack and the files it names, until the block ends. */
function folderOf(stack: Data): Disposable & { readonly path: string } {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'second-up-')))
  const path = join(root, 'shop')
  for (const [name, content] of Object.entries({ ...files, 'compose.yaml': JSON.stringify(stack) })) {
    mkdirSync(dirname(join(path, name)), { recursive: true })
    writeFileSync(join(path, name), content)
  }
  return { path, [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }) }
}

async function projectIn(cwd: string): Promise<Project> {
  const environment = { HOME: '/home/me', PATH: '/bin' }
  return (await loadStack({ cwd, environment, projectName: 'shop' })).project
}

/** With every image there, and what others have made. */
function engineFor(...projects: readonly Project[]): FakeEngine {
  const engine = new FakeEngine()
  for (const name of [...projects.flatMap(imagesOf), 'x', 'y']) engine.images.set(name, { id: `sha256:${name}` })
  for (const name of ['mm', 'm']) engine.networks.set(name, { Name: name, id: `network-${name}` })
  for (const name of ['ww', 'w']) engine.volumes.set(name, { Name: name })
  return engine
}

const options = { removeOrphans: true, pull: 'never' } as const

async function up({ client }: FakeEngine, project: Project): Promise<void> {
  await converge({ client, project, options, carryOut: plan => run(plan, enginePerformer(client)) })
}

async function planned({ client }: FakeEngine, project: Project) {
  return (await foresee({ client, project, options })).plan
}

/** Nothing is planned for `second`, once `first` is up. */
async function nothingFor(first: Data, second: Data): Promise<void> {
  using one = folderOf(first)
  using other = folderOf(second)
  const [before, after] = [await projectIn(one.path), await projectIn(other.path)]
  const engine = engineFor(before, after)
  await up(engine, before)
  assert.equal(printPlan(await planned(engine, after)), '')
}

/** Bound below the stack's own folder, which is another one then. */
const bindsBeside = (stack: Data) => /"\.\/|"include"|"configs"|"secrets"/.test(JSON.stringify(stack))
const name = (stack: Data, i: number) => `${i}: ${JSON.stringify(stack).slice(0, 70)}`

describe('a second up changes nothing', () => {
  for (const [i, stack] of stacks.entries())
    test(name(stack, i), async () => {
      using folder = folderOf(stack)
      const project = await projectIn(folder.path)
      const engine = engineFor(project)
      await up(engine, project)
      assert.equal(printPlan(await planned(engine, project)), '')
    })
})

describe('neither does it with another order of keys, in a folder that was moved', () => {
  for (const [i, stack] of stacks.entries())
    test(name(stack, i), { skip: bindsBeside(stack) && 'it binds what is beside it' }, () =>
      nothingFor(stack, backwards(stack)),
    )
})

function backwards(data: Data): Data {
  if (Array.isArray(data)) return data.map(backwards)
  if (data === null || typeof data !== 'object') return data
  return Object.fromEntries(
    Object.entries(data)
      .toReversed()
      .map(([key, value]) => [key, backwards(value)]),
  )
}

describe('neither does a default that is written out', () => {
  const base = { services: { a: { image: 'busybox' } } }
  for (const [field, value] of Object.entries({
    attach: true,
    cap_add: [],
    cpus: 0,
    depends_on: [],
    deploy: { replicas: 1, update_config: { parallelism: 1, order: 'stop-first' } },
    environment: {},
    expose: [],
    labels: {},
    mem_limit: 0,
    networks: ['default'],
    oom_kill_disable: false,
    ports: [],
    privileged: false,
    profiles: [],
    pull_policy: 'missing',
    read_only: false,
    restart: 'no',
    scale: 1,
    shm_size: '64m',
    stdin_open: false,
    tty: false,
    volumes: [],
    working_dir: '/',
    command: ['sh'],
  } satisfies Record<string, Data>))
    test(`of a service: ${field}`, () => nothingFor(base, { services: { a: { image: 'busybox', [field]: value } } }))

  for (const [field, value] of Object.entries({
    driver: 'bridge',
    internal: false,
    attachable: false,
    enable_ipv6: false,
    ipam: { config: [{ subnet: '172.20.0.0/16' }] },
    labels: {},
  } satisfies Record<string, Data>)) {
    const stack = { ...base, networks: { default: { [field]: value } } }
    test(`of a network: ${field}`, () => nothingFor(base, stack))
    if (field !== 'ipam') test(`of a network, taken away: ${field}`, () => nothingFor(stack, base))
  }

  const with_ = (volume: Data) => ({
    services: { a: { image: 'busybox', volumes: ['data:/data'] } },
    volumes: { data: volume },
  })
  test('of a volume: driver', () => nothingFor(with_({}), with_({ driver: 'local' })))
  test('of a volume, taken away: driver', () => nothingFor(with_({ driver: 'local' }), with_({})))
})

/** Fields of a service that are in no container. */
const away =
  /^(attach|build|depends_on|deploy\.(mode|endpoint_mode|labels|replicas|update_config|rollback_config|placement)|develop|extends|post_start|pre_stop|profiles|provider|pull_policy|pull_refresh_after|scale)\b/
/** Where a field ends that is written under another name. */
const called: Readonly<Record<string, RegExp>> = {
  env_file: /^environment\./,
  label_file: /^labels\./,
  tmpfs: /^volumes\./,
  'deploy.resources.limits.cpus': /^cpus$/,
  'deploy.resources.limits.memory': /^mem_limit$/,
  'deploy.resources.limits.pids': /^pids_limit$/,
  'deploy.resources.reservations.memory': /^mem_reservation$/,
  'deploy.resources.limits': /^(cpus|mem_limit|pids_limit)$/,
  'deploy.resources.reservations': /^(mem_reservation|deploy\.resources\.reservations)/,
  'deploy.resources': /^(cpus|mem_limit|pids_limit|mem_reservation|deploy\.resources)/,
  'deploy.restart_policy': /^restart$/,
  'deploy.restart_policy.delay': /^deploy\.restart_policy\.delay$/,
  'deploy.restart_policy.window': /^deploy\.restart_policy\.window$/,
  deploy: /^(cpus|mem_limit|pids_limit|mem_reservation|deploy\.resources|restart)/,
}

/** What these stacks cannot show. */
const untold: Readonly<Record<string, string>> = {
  'services.*.configs.*.source': 'another one is not in the stack',
  'services.*.secrets.*.source': 'another one is not in the stack',
  'services.*.devices.*.target': 'it must be set',
  'services.*.volumes.*.type': 'another one is refused there',
  'services.*.memswap_limit': 'twice the memory is what it is without',
  'services.*.env_file.*.required': 'of a file that is not there',
}

function expected(attribute: string): RegExp {
  const path = attribute.replace('services.*.', '')
  const known = Object.keys(called)
    .filter(key => path === key || path.startsWith(`${key}.`))
    .sort((a, b) => b.length - a.length)[0]
  if (known !== undefined) return called[known]!
  return new RegExp(`^${path.split('.')[0]}\\b`)
}

describe('a field that is changed alone is told by its name', () => {
  const honoured = supportTable(attributePaths()).filter(({ level }) => level === 'honoured')
  for (const { path } of honoured) {
    if (!path.startsWith('services.*.') || away.test(path.replace('services.*.', ''))) continue
    test(path, { skip: untold[path] ?? false }, async t => {
      const told: (readonly Row[])[] = []
      for (const stack of stacks) {
        const changed = without(stack, path)
        if (changed === undefined || JSON.stringify(changed) === JSON.stringify(stack)) continue
        using one = folderOf(stack)
        using other = folderOf(changed)
        const [before, after] = [await projectIn(one.path), await projectIn(other.path)]
        const engine = engineFor(before, after)
        await up(engine, before)
        told.push(summarize([await planned(engine, after)]))
      }
      if (told.length === 0) return t.skip('no stack can be without it')
      const name = expected(path)
      assert.ok(
        told.flat().some(({ changes }) => changes.some(change => name.test(change.path))),
        `${name} is not told of in:\n${told.flat().map(rowText).join('\n')}`,
      )
    })
  }
})
