/**
 * A stack in a real cluster, by the kubeconfig that TSCOMPOSE_TEST_KUBECONFIG names: an API server with its controllers and scheduler. Where no node runs
 * anything, one on paper says that pods run (test/targets/kubernetes/paper-node.ts).
 */
import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { createClient } from '../../src/client/client.ts'
import { isFailure } from '../../src/lib/failure.ts'
import { forwardPorts } from '../../src/targets/kubernetes/forward.ts'
import { labels } from '../../src/targets/kubernetes/labels.ts'
import { imagesIn, type Live } from '../../src/targets/kubernetes/live.ts'
import { type Kind, kindNames } from '../../src/targets/kubernetes/manifest.ts'
import { Cluster } from '../../src/targets/kubernetes/rest/cluster.ts'
import { clusterAccess } from '../../src/targets/kubernetes/rest/kubeconfig.ts'
import { listOf, pathOf } from '../../src/targets/kubernetes/rest/objects.ts'
import { tscompose } from '../cli/fake-client.ts'
import { TestEngine } from '../support/engine.ts'
import { lacking, program, root } from '../support/needs.ts'
import { patience } from '../support/patience.ts'
import { hasRegistry, startRegistry } from '../support/registry.ts'
import { busybox, hasBusybox } from '../support/tiny-image.ts'
import { PaperNode } from '../targets/kubernetes/paper-node.ts'

const kubeconfig = process.env['TSCOMPOSE_TEST_KUBECONFIG']
const project = `kube${process.pid}`
const skip = kubeconfig === undefined && 'needs TSCOMPOSE_TEST_KUBECONFIG, the kubeconfig of a cluster'

const cannotBuild = lacking(root(), program('nft'), !hasRegistry && 'docker-registry', !hasBusybox && busybox)

const stack = `name: ${project}
x-target: kubernetes
services:
  db:
    image: busybox:latest
    command: sleep 1000
    secrets: [token]
    healthcheck: {test: test -s /run/secrets/token, interval: 1s}
  migrate:
    image: busybox:latest
    command: "true"
    depends_on: {db: {condition: service_healthy}}
  web:
    image: busybox:latest
    command: sleep 1000
    depends_on: {migrate: {condition: service_completed_successfully}}
    expose: ["80", "53/udp"]
    configs: [{source: page, target: /page, mode: 0440}]
    environment: {A: "1"}
    cpus: 0.5
    mem_limit: 64m
    user: "1000"
    read_only: true
    cap_drop: [ALL]
    tmpfs: [/tmp]
    deploy: {replicas: 2, update_config: {order: start-first}, placement: {preferences: [{spread: node.labels.zone}]}}
  each:
    image: busybox:latest
    deploy: {mode: global}
  nightly:
    image: busybox:latest
    x-schedule: "0 3 * * *"
secrets: {token: {environment: TOKEN}}
configs: {page: {content: "first page\\n"}}
`

describe('a stack in a cluster', { skip, timeout: 180_000 * patience }, () => {
  const env = { KUBECONFIG: kubeconfig ?? '' }
  const namespace = project
  const cwd = mkdtempSync(join(tmpdir(), 'tscompose-kubernetes-'))
  let cluster: Cluster
  let node: PaperNode | undefined
  const run = async (...argv: readonly string[]) => {
    const { code, stdout, stderr } = await tscompose(['--namespace', namespace, ...argv], {
      env: { ...env, TOKEN: 's3cr3t', HOME: cwd },
      cwd,
    })
    return { code, stdout, stderr, all: `${stdout}${stderr}` }
  }
  const write = (text: string) => writeFileSync(join(cwd, 'compose.yaml'), text)
  const up = async (text: string, ...more: readonly string[]) => {
    write(text)
    const done = await run('up', '-d', ...more)
    assert.equal(done.code, 0, done.all)
    return done
  }
  const objects = async (kind: Kind): Promise<readonly Live[]> =>
    (await listOf<Live>(cluster, kind, { namespace, labelSelector: `${labels.stack}=${project}` })).items
  /** What an apply that writes would change; status apart. */
  const written = async () => {
    const all = await Promise.all(
      kindNames.map(async kind =>
        (await objects(kind)).map(({ metadata }) => [kind, metadata.name, metadata.generation, times(metadata)]),
      ),
    )
    return all.flat()
  }
  const times = ({ managedFields = [] }: Live['metadata']) =>
    managedFields.filter(({ manager }) => manager === 'tscompose').map(({ time, fieldsV1 }) => [time, fieldsV1])
  const versions = async () => {
    const quiet: readonly Kind[] = ['ConfigMap', 'Secret', 'Service', 'NetworkPolicy']
    return (await Promise.all(quiet.map(objects)))
      .flat()
      .map(({ metadata }) => [metadata.name, metadata.resourceVersion])
  }
  before(async () => {
    cluster = new Cluster(clusterAccess({ env, namespace }), process.env)
    await cluster.call('POST', '/api/v1/namespaces', {
      body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    })
    node = await PaperNode.where(cluster)
  })
  after(async () => {
    try {
      await run('down', '-v')
      await cluster.call('DELETE', `/api/v1/namespaces/${namespace}`)
    } catch (error) {
      if (!isFailure(error, 'not-found')) throw error
    } finally {
      await node?.close()
      cluster.close()
      rmSync(cwd, { recursive: true })
    }
  })

  test('comes up in order, and a second up writes nothing', async () => {
    await up(stack)
    const created = (await Promise.all([objects('Deployment'), objects('Job')])).flat()
    assert.deepEqual(created.map(({ metadata }) => metadata.name).sort(), ['db', 'migrate', 'web'])
    const [all, quiet] = [await written(), await versions()]
    const second = await up(stack)
    assert.match(second.all, /no changes/)
    assert.deepEqual(await written(), all)
    assert.deepEqual(await versions(), quiet)
    const listed = await run('ps')
    assert.match(listed.stdout, /web-\S+ +busybox:latest +web +\S+ +running/)
    assert.ok(!`${second.all}${listed.all}`.includes('s3cr3t'))
  })

  test('tells what differs, changes that, and removes what nothing uses', async () => {
    write(stack.replace('A: "1"', 'A: "2"').replace('first page', 'second page'))
    const { stdout } = await run('plan')
    assert.match(stdout, /~ web: recreate {2}environment\.A 1→2/)
    await up(stack.replace('A: "1"', 'A: "2"').replace('first page', 'second page'))
    assert.equal((await objects('ConfigMap')).filter(({ metadata }) => metadata.name.includes('page')).length, 1)
    await up(stack)
    assert.match((await run('plan')).all, /no changes/)
  })

  test('shows a change by hand with its manager, and takes it back', async () => {
    const [web] = (await objects('Deployment')).filter(({ metadata }) => metadata.name === 'web')
    await cluster.call('PATCH', pathOf('Deployment', namespace, web!.metadata.name), {
      query: { fieldManager: 'kubectl-edit' },
      contentType: 'application/merge-patch+json',
      body: { spec: { replicas: 4 } },
    })
    assert.match((await run('plan')).stdout, /~ web: in place {2}deploy\.replicas 4 \(by kubectl-edit\)→2/)
    await up(stack)
    assert.match((await run('plan')).all, /no changes/)
  })

  test('makes a job anew that cannot be changed', async () => {
    const other = stack.replace('command: "true"', 'command: "false"')
    write(other)
    assert.match((await run('plan')).stdout, /~ migrate: recreate {2}command true→false/)
    await up(other)
    assert.match((await run('plan')).all, /no changes/)
    await up(stack)
  })

  test('says why pods do not start', async () => {
    if (node) node.isReady = ({ metadata }) => !metadata.name.startsWith('web')
    // nothing answers there
    const none = stack.replace(/(web:\n +image: )busybox:latest/, '$1127.0.0.1:1/none:1')
    write(node ? stack.replace('A: "1"', 'A: "3"') : none)
    const { code, all } = await run('up', '-d')
    if (node) node.isReady = () => true
    assert.notEqual(code, 0)
    assert.match(
      all,
      node
        ? /service web does not start: ImagePullBackOff: there is no such image/
        : /service web does not start: (ErrImagePull|ImagePullBackOff): .*127\.0\.0\.1:1/,
    )
    await up(stack)
  })

  test('tells what pods say, runs commands in them and leads ports to them', async t => {
    if (node) return t.skip('needs a node that runs pods')
    await up(`name: ${project}
x-target: kubernetes
services:
  talk:
    image: busybox:latest
    command: sh -c 'echo to-out; echo to-err >&2; exec httpd -f -p 8000 -h /etc'
    ports: ["8000"]
    stop_grace_period: 1s
`)
    const said = await run('logs', '--no-color', 'talk')
    assert.deepEqual(
      said.stdout
        .trim()
        .split('\n')
        .map(line => line.replace(/^talk-\S+ +\| /, ''))
        .sort(),
      ['to-err', 'to-out'],
    )
    const exec = async (...command: readonly string[]) => await run('exec', '-T', 'talk', ...command)
    const own = await exec('sh', '-c', 'echo inside; echo wrong >&2; exit 7')
    assert.deepEqual([own.code, own.stdout, own.stderr], [7, 'inside\n', 'wrong\n'])
    assert.equal((await exec('nosuch')).code, 127)
    assert.equal((await exec('/etc/passwd')).code, 126)
    const failures: string[] = []
    await using led = await forwardPorts(cluster, project, {
      signal: new AbortController().signal,
      onFailure: text => failures.push(text),
    })
    const [port] = led.reached
    const answers = await Promise.all(
      Array.from({ length: 20 }, async () => await (await fetch(`http://127.0.0.1:${port?.hostPort}/passwd`)).text()),
    )
    for (const text of answers) assert.match(text, /^root:/)
    assert.deepEqual(failures, [])
    await up(stack, '--remove-orphans')
  })

  test('is refused where the cluster refuses it, before anything is written', async () => {
    const all = await written()
    write(stack.replace('cap_drop: [ALL]', 'cap_drop: [ALL]\n    hostname: No_Name'))
    const { code, stderr } = await run('up', '-d')
    assert.notEqual(code, 0)
    assert.match(stderr, /Cannot have Deployment web: .*hostname/)
    assert.deepEqual(await written(), all)
  })

  test('builds and pushes what it builds, runs it by its digest, and goes back to it', {
    skip: cannotBuild,
  }, async () => {
    await using registry = await startRegistry()
    const engine = await TestEngine.start([])
    await using _engine = { [Symbol.asyncDispose]: () => engine.stop() }
    const client = createClient(engine.host)
    using _client = { [Symbol.dispose]: () => client.close() }
    const built = `name: ${project}
x-target: kubernetes
x-registry: ${registry.host}/team
services:
  db: {image: busybox:latest, command: sleep 1000}
  app:
    build:
      context: .
      dockerfile_inline: |
        FROM scratch
        COPY sleep page /
        CMD ["/sleep", "1000"]
`
    const runs = async (...argv: readonly string[]) => {
      const all = ['--namespace', namespace, ...argv]
      const { code, stdout, stderr } = await tscompose(all, { client, env: { ...env, HOME: cwd }, cwd })
      assert.equal(code, 0, `${argv.join(' ')}\n${stdout}${stderr}`)
      return `${stdout}${stderr}`
    }
    const image = async () => {
      const found = (await objects('Deployment')).find(({ metadata }) => metadata.name === 'app')
      return found === undefined ? undefined : imagesIn(found)[0]
    }
    write(built)
    writeFileSync(join(cwd, 'page'), 'first')
    copyFileSync(busybox, join(cwd, 'sleep'))
    await runs('up', '-d', '--remove-orphans')
    const first = await image()
    assert.match(first ?? '', new RegExp(`^${registry.host}/team/${project}-app@sha256:[0-9a-f]{64}$`))
    assert.match(await runs('up', '-d'), /no changes/)
    writeFileSync(join(cwd, 'page'), 'second')
    // what is there is not built again unasked
    assert.match(await runs('up', '-d'), /no changes/)
    assert.match(await runs('plan', '--push'), /image \S+: build {2}asked for by --push/)
    await runs('up', '-d', '--push')
    assert.notEqual(await image(), first)
    await runs('rollback', '-y')
    assert.equal(await image(), first)
    assert.match(await runs('up', '-d'), /no changes/)
  })

  test('goes down, and nothing is left', async () => {
    write(stack)
    const done = await run('down')
    assert.equal(done.code, 0, done.all)
    for (const kind of kindNames) assert.deepEqual(await objects(kind), [], kind)
    assert.match((await run('ps')).stdout.trim(), /^NAME[^\n]*$/)
  })
})
