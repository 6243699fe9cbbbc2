import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import type { ServiceSpec, SwarmService, SwarmTask } from '../../src/api/swarm-objects.ts'
import { Failure } from '../../src/lib/failure.ts'
import { fakeClient, tscompose } from './fake-client.ts'

const folder = mkdtempSync(join(tmpdir(), 'tscompose-target-'))
after(() => rmSync(folder, { recursive: true }))

const stack = `name: shop
services:
  web:
    image: busybox:1
    secrets: [token]
    deploy: {endpoint_mode: dnsrr}
secrets: {token: {environment: TOKEN}}
`
const at = (text: string) => {
  const cwd = mkdtempSync(join(folder, 'stack-'))
  writeFileSync(join(cwd, 'compose.yaml'), text)
  return cwd
}
const env = { TOKEN: 's3cr3t-content', HOME: folder }

/** A swarm of one node whose tasks run at once; `more` answers otherwise. */
function swarm(more: Parameters<typeof fakeClient>[0] = {}) {
  const services: SwarmService[] = []
  const networks: object[] = []
  const secrets: object[] = []
  const tasks: SwarmTask[] = []
  const client = fakeClient({
    serviceList: () => services,
    networkList: () => networks,
    secretList: () => secrets,
    configList: () => [],
    nodeList: () => [{ ID: 'n', Description: { Hostname: 'node-1' }, Status: { State: 'ready', Addr: '192.0.2.1' } }],
    taskList: () => tasks,
    distributionInspect: () => ({ Descriptor: { digest: `sha256:${'a'.repeat(64)}` } }),
    networkCreate: ({ body }: { body: object }) => {
      networks.push({ ...body, Id: 'net', EnableIPv6: false, IPAM: { Config: [] } })
      return { Id: 'net' }
    },
    secretCreate: ({ body }: { body: { Data?: string } }) => {
      const { Data: _, ...Spec } = body
      secrets.push({ ID: 'sec', Version: { Index: 1 }, Spec })
      return { ID: 'sec' }
    },
    serviceCreate: ({ body }: { body: ServiceSpec }) => {
      const Networks = [{ ...body.TaskTemplate.Networks![0]!, Target: 'net' }]
      const TaskTemplate = { ...body.TaskTemplate, Networks }
      const ServiceStatus = { RunningTasks: 1, DesiredTasks: 1, CompletedTasks: 0 }
      services.push({ ID: 'svc', Version: { Index: 1 }, Spec: { ...body, TaskTemplate }, ServiceStatus })
      tasks.push({
        ID: 'task',
        Version: { Index: 1 },
        CreatedAt: '2026-01-01T00:00:00Z',
        Spec: TaskTemplate,
        ServiceID: 'svc',
        Slot: 1,
        NodeID: 'n',
        Status: { State: 'running', Timestamp: '' },
        DesiredState: 'running',
      })
      return { ID: 'svc' }
    },
    ...more,
  })
  return { client, names: () => client.asked.map(({ name }) => name).sort() }
}

describe('the target of a command', () => {
  const swarmRuns = async (argv: readonly string[], more: object = {}) => {
    const { client } = swarm()
    return await tscompose(argv, { client, env, cwd: at(stack), ...more })
  }

  test('is that of --target, TSCOMPOSE_TARGET, or x-target of the stack, in this order', async () => {
    const want = '+ web: create  no service "shop_web"'
    const said = `x-target: swarm\n${stack}`
    for (const { stdout } of [
      await swarmRuns(['--target', 'swarm', 'plan']),
      await swarmRuns(['plan'], { env: { ...env, TSCOMPOSE_TARGET: 'swarm' } }),
      await swarmRuns(['plan'], { cwd: at(said) }),
      await swarmRuns(['-f', join(at(said), 'compose.yaml'), 'plan']),
    ])
      assert.ok(stdout.includes(want), stdout)
    const engine = await swarmRuns(['--target', 'engine', 'plan'], { cwd: at(said) })
    assert.match(engine.stderr, /containerList is not implemented/)
  })

  test('that is none is refused', async () => {
    const { code, stderr } = await swarmRuns(['plan'], { cwd: at(`x-target: moon\n${stack}`) })
    assert.notEqual(code, 0)
    assert.match(stderr, /x-target is "moon", which is no target\n {2}Targets are engine, swarm and kubernetes/)
  })

  test('lacks commands and options, which are refused by name with what to use', async () => {
    const top = await swarmRuns(['--target', 'swarm', 'top'])
    assert.match(top.stderr, /The target swarm has no "top"\n {2}Run it on the node/)
    assert.notEqual(top.code, 0)
    const volumes = await swarmRuns(['--target', 'swarm', 'down', '-v'])
    assert.match(volumes.stderr, /The target swarm has no --volumes/)
    // what knows no target goes on
    assert.equal((await swarmRuns(['--target', 'swarm', 'config', '--services'])).stdout, 'web\n')
  })

  test('says what it does not honour, and --strict refuses', async () => {
    const cwd = at(stack.replace('image:', 'privileged: true\n    image:'))
    const warned = await swarmRuns(['--target', 'swarm', 'plan'], { cwd })
    assert.match(warned.stderr, /compose\.yaml:4:5[\s\S]*"privileged" is not honoured/)
    assert.equal(warned.code, 0)
    assert.notEqual((await swarmRuns(['--target', 'swarm', '--strict', 'plan'], { cwd })).code, 0)
    const table = await swarmRuns(['--target', 'swarm', 'support', 'privileged'])
    assert.match(table.stdout, /services\.\*\.privileged +no +a task has the capabilities of cap_add at most/)
  })
})

describe('up in a swarm', () => {
  test('makes what is missing with one call each, and a second writes nothing; the secret is seen by nobody', async () => {
    const { client, names } = swarm()
    const cwd = at(stack)
    const first = await tscompose(['--target', 'swarm', 'up', '-d'], { client, env, cwd })
    assert.equal(first.code, 0, first.stderr)
    const reads = ['configList', 'distributionInspect', 'networkList', 'secretList', 'serviceList']
    const waits = ['serviceList', 'taskList']
    assert.deepEqual(names(), [...reads, ...waits, 'networkCreate', 'secretCreate', 'serviceCreate'].sort())
    const sent = client.asked.find(({ name }) => name === 'secretCreate')?.input['body'] as { Data: string }
    assert.equal(Buffer.from(sent.Data, 'base64').toString(), 's3cr3t-content')
    const made = client.asked.find(({ name }) => name === 'serviceCreate')?.input['body'] as ServiceSpec
    assert.equal(made.TaskTemplate.ContainerSpec.Secrets?.[0]?.SecretID, 'sec')
    assert.equal(made.TaskTemplate.ContainerSpec.Image, `busybox:1@sha256:${'a'.repeat(64)}`)

    client.asked.length = 0
    const second = await tscompose(['--target', 'swarm', 'up', '-d'], { client, env, cwd })
    assert.match(second.stderr, /no changes/)
    assert.deepEqual(names(), reads)
    const shown = await tscompose(['--target', 'swarm', 'plan', '--json'], { client, env, cwd })
    for (const { stdout, stderr } of [first, second, shown]) assert.ok(!`${stdout}${stderr}`.includes('s3cr3t'))
    const listed = await tscompose(['--target', 'swarm', 'ps'], { client, env, cwd })
    assert.match(listed.stdout, /shop_web\.1 +busybox:1 +web +node-1 +running/)
  })

  test('on an engine that is no manager says so', async () => {
    const refuse = () => {
      throw new Failure('unavailable', 'This node is not a swarm manager.')
    }
    const client = fakeClient({
      ...Object.fromEntries(['serviceList', 'secretList', 'configList'].map(name => [name, refuse])),
      networkList: () => [],
    })
    const { stderr, code } = await tscompose(['--target', 'swarm', 'up', '-d'], { client, env, cwd: at(stack) })
    assert.match(stderr, /Cannot use the target swarm: This node is not a swarm manager\.\n {2}Name a manager/)
    assert.notEqual(code, 0)
  })
})

describe('images that are built', () => {
  const built = `name: shop
x-registry: registry.example.com/team
services:
  web:
    build: {context: ., dockerfile_inline: FROM scratch}
    deploy: {endpoint_mode: dnsrr}
`
  const image = 'registry.example.com/team/shop-web'

  test('without a registry are refused before anything is built, at their place', async () => {
    const { client, names } = swarm()
    const cwd = at(built.replace(/x-registry.*\n/, ''))
    for (const push of [[], ['--push']]) {
      const { code, stderr } = await tscompose(['--target', 'swarm', 'up', '-d', ...push], { client, env, cwd })
      assert.notEqual(code, 0)
      assert.match(stderr, /compose\.yaml:4:5[\s\S]*its image has no name that the nodes could pull[\s\S]*x-registry/)
    }
    const kinds = new Set(names())
    assert.ok(!kinds.has('imageBuild') && !kinds.has('grpc') && !kinds.has('serviceCreate'), [...kinds].join())
  })

  test('are taken by their digest where the registry has them', async () => {
    const { client, names } = swarm()
    const done = await tscompose(['--target', 'swarm', 'up', '-d'], { client, env, cwd: at(built) })
    assert.equal(done.code, 0, done.stderr)
    const made = client.asked.find(({ name }) => name === 'serviceCreate')?.input['body'] as ServiceSpec
    assert.equal(made.TaskTemplate.ContainerSpec.Image, `${image}@sha256:${'a'.repeat(64)}`)
    assert.ok(!names().includes('imagePush'))
  })

  test('are told of by a plan: those that no registry has, and all with --push', async () => {
    const { client } = swarm({
      distributionInspect: () => {
        throw new Failure('not-found', 'manifest unknown')
      },
    })
    const [lacking, cwd] = [at(built), at(built)]
    const plan = await tscompose(['--target', 'swarm', 'plan'], { client, env, cwd: lacking })
    assert.match(plan.stdout, new RegExp(`~ image ${image}: build {2}no registry has it`))
    const pushed = await tscompose(['--target', 'swarm', 'plan', '--push'], { client: swarm().client, env, cwd })
    assert.match(pushed.stdout, new RegExp(`~ image ${image}: build {2}asked for by --push`))
    const dry = await tscompose(['--target', 'swarm', '--dry-run', 'up', '-d'], { client, env, cwd })
    assert.match(dry.stderr, new RegExp(`${image} Would be pushed`))
    assert.ok(!client.asked.some(({ name }) => /push|create/i.test(name)))
  })

  test('are not pushed for one machine', async () => {
    const { code, stderr } = await tscompose(['up', '-d', '--push'], { env, cwd: at(built) })
    assert.notEqual(code, 0)
    assert.match(stderr, /--push is for targets whose nodes pull/)
  })
})

describe('names of targets', () => {
  const own = () => ({ ...env, TSCOMPOSE_STATE: mkdtempSync(join(folder, 'state-')) })

  test('stand for a kind and where it is, and one is meant where nothing is said', async () => {
    const state = own()
    const cwd = at(stack)
    const client = swarm().client
    const run = (...argv: readonly string[]) => tscompose(argv, { client, env: state, cwd })
    assert.equal((await run('target', 'add', 'many', 'swarm', '-H', 'tcp://manager:2376')).code, 0)
    const want = /\+ web: create {2}no service "shop_web"/
    assert.match((await run('--target', 'many', 'plan')).stdout, want)
    assert.doesNotMatch((await run('plan')).stdout, want)
    assert.equal((await run('target', 'use', 'many')).code, 0)
    assert.match((await run('plan')).stdout, want)
    const listed = await run('target', 'ls')
    assert.match(listed.stdout, /many \* +swarm +tcp:\/\/manager:2376/)
    // the command line counts more, and so does the stack
    assert.doesNotMatch((await run('--target', 'engine', 'plan')).stdout, want)
    const said = await tscompose(['plan'], { client, env: state, cwd: at(`x-target: engine\n${stack}`) })
    assert.doesNotMatch(said.stdout, want)
    assert.equal((await run('target', 'use', 'engine')).code, 0)
    assert.doesNotMatch((await run('plan')).stdout, want)
    await run('target', 'use', 'many')
    assert.equal((await run('target', 'rm', 'many')).code, 0)
    assert.doesNotMatch((await run('target', 'ls')).stdout, /many/)
    assert.doesNotMatch((await run('plan')).stdout, want)
  })

  test('keep the context, namespace and kubeconfig of a cluster', async () => {
    const state = { ...own(), KUBECONFIG: join(folder, 'none') }
    const run = (...argv: readonly string[]) => tscompose(argv, { env: state, cwd: at(stack) })
    await run('target', 'add', 'prod', 'kubernetes', '--context', 'c', '--namespace', 'n')
    const [row] = JSON.parse((await run('target', 'ls', '--format', 'json')).stdout).slice(-1)
    assert.deepEqual(row, {
      Name: 'prod',
      Kind: 'kubernetes',
      Current: false,
      Context: 'c',
      Namespace: 'n',
      Kubeconfig: state.KUBECONFIG,
    })
    const elsewhere = await tscompose(['--target', 'prod', 'plan'], {
      env: { ...state, KUBECONFIG: '/else' },
      cwd: at(stack),
    })
    assert.match(elsewhere.stderr, /Cannot use the target kubernetes: there is no .*none/)
  })

  test('that are none are refused, and so is one that a kind has', async () => {
    const state = own()
    const run = (...argv: readonly string[]) => tscompose(argv, { env: state, cwd: at(stack) })
    assert.match(
      (await run('--target', 'moon', 'plan')).stderr,
      /"moon", which is no target\n {2}Targets are engine, swarm and kubernetes/,
    )
    assert.match((await run('target', 'add', 'engine', 'swarm')).stderr, /Cannot call a target "engine"/)
    assert.match((await run('target', 'add', 'a', 'cloud')).stderr, /"cloud" is no kind of target/)
    assert.match((await run('target', 'use', 'moon')).stderr, /There is no target "moon"/)
    assert.notEqual((await run('target', 'rm', 'moon')).code, 0)
  })
})
