import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, describe, test } from 'node:test'
import { FakeCluster } from '../targets/kubernetes/fake-cluster.ts'
import { tscompose } from './fake-client.ts'

const folder = mkdtempSync(join(tmpdir(), 'tscompose-kubernetes-'))
const clusters: FakeCluster[] = []
after(async () => {
  for (const cluster of clusters) await cluster.close()
  rmSync(folder, { recursive: true })
})

const stack = `name: shop
x-target: kubernetes
services:
  db:
    image: busybox:1
    command: sleep 1000
    secrets: [token]
    volumes: ["data:/data"]
    healthcheck: {test: "true", interval: 1s}
  web:
    image: busybox:1
    depends_on: {db: {condition: service_healthy}}
    expose: ["80"]
    environment: {A: "1", PASSWORD: hush}
    configs: [{source: page, target: /page}]
    deploy: {replicas: 2, update_config: {order: start-first}}
volumes: {data: }
secrets: {token: {environment: TOKEN}}
configs: {page: {content: "v1"}}
`

let cluster: FakeCluster
let env: Record<string, string>
let cwd: string

beforeEach(async () => {
  cluster = new FakeCluster()
  clusters.push(cluster)
  const server = await cluster.listen()
  cwd = mkdtempSync(join(folder, 'stack-'))
  const kubeconfig = join(cwd, 'kubeconfig')
  writeFileSync(
    kubeconfig,
    `current-context: a
contexts: [{name: a, context: {cluster: c, user: u}}, {name: b, context: {cluster: c, user: u, namespace: missing}}]
clusters: [{name: c, cluster: {server: "${server}"}}]
users: [{name: u, user: {token: t0ken}}]
`,
  )
  env = { TOKEN: 's3cr3t-content', HOME: folder, KUBECONFIG: kubeconfig }
  write(stack)
})

const write = (text: string) => writeFileSync(join(cwd, 'compose.yaml'), text)
const run = async (...argv: readonly string[]) => {
  const { code, stdout, stderr } = await tscompose(argv, { env, cwd })
  return { code, stdout, stderr, all: `${stdout}${stderr}` }
}
const up = async (text = stack, ...more: readonly string[]) => {
  write(text)
  const done = await run('up', '-d', ...more)
  assert.equal(done.code, 0, done.all)
  return done
}
/** "PATCH deployments web": what was written since. */
const writes = () =>
  cluster.calls
    .filter(({ method, query }) => method !== 'GET' && query.get('dryRun') === null)
    .map(({ method, path }) => `${method} ${path.split('/').slice(-2).join(' ')}`)
const plural = (key: string) => cluster.all(key)

describe('up in a cluster', () => {
  test('makes what is missing with one write each, in the order of depends_on, and a second writes nothing', async () => {
    const first = await up()
    const made = writes()
    assert.equal(new Set(made).size, made.length)
    assert.match(made[0]!, /configmaps tscompose-shop$/)
    const at = (text: string) => made.findIndex(each => each.startsWith(`PATCH ${text}`))
    assert.ok(at('secrets shop-token-') > 0 && at('secrets shop-token-') < at('deployments db'))
    assert.ok(at('deployments db') < at('deployments web'))
    assert.deepEqual(plural('deployments'), ['db', 'web'])
    assert.deepEqual(plural('persistentvolumeclaims'), ['shop-data'])
    const dry = cluster.calls.filter(({ query }) => query.get('dryRun') === 'All').length
    assert.equal(dry, made.length)

    const versions = () => ['db', 'web'].map(name => cluster.get(`deployments ${name}`)?.metadata.resourceVersion)
    const before = versions()
    cluster.calls.length = 0
    const second = await up()
    assert.match(second.stderr, /no changes/)
    // one list a kind, and not one call more
    assert.equal(cluster.calls.length, 10)
    assert.deepEqual(writes(), [])
    assert.deepEqual(versions(), before)
    for (const { all } of [first, second, await run('plan', '--json'), await run('ps')])
      assert.ok(!/s3cr3t|t0ken/.test(all), all)
  })

  test('waits for what is needed, and says why it does not come', async () => {
    cluster.pods = ({ metadata: { name }, spec }) => {
      if (name !== 'db') return undefined
      const template = spec?.['template'] as { readonly metadata: { readonly labels: Record<string, string> } }
      const waiting = { reason: 'ImagePullBackOff', message: 'no such image' }
      return [
        {
          metadata: { name: 'db-0', labels: template.metadata.labels },
          status: { phase: 'Pending', containerStatuses: [{ name: 'db', state: { waiting } }] },
        },
      ]
    }
    const { code, stderr } = await run('up', '-d')
    assert.notEqual(code, 0)
    assert.match(stderr, /service db does not start: ImagePullBackOff: no such image/)
    assert.deepEqual(plural('deployments'), ['db'])
    const listed = await run('ps')
    assert.match(listed.stdout, /db-0 .*waiting: ImagePullBackOff: no such image/)
  })

  test('tells each field that differs in the words of the stack, and secrets by a hash', async () => {
    await up()
    write(
      stack
        .replace('A: "1"', 'A: "2"')
        .replace('hush', 'other')
        .replace('replicas: 2', 'replicas: 3')
        .replace('busybox:1\n    depends', 'busybox:2\n    depends'),
    )
    const { stdout } = await run('plan')
    assert.match(
      stdout,
      /~ web: recreate {2}deploy\.replicas 2→3 · environment\.A 1→2 · environment\.PASSWORD #[0-9a-f]{8}→#[0-9a-f]{8} · image busybox:1→busybox:2/,
    )
    assert.ok(!stdout.includes('hush'))
    write(stack.replace('replicas: 2', 'replicas: 3'))
    assert.match((await run('plan')).stdout, /~ web: in place {2}deploy\.replicas 2→3\n/)
  })

  test('shows what somebody else has changed with their name, and takes it back', async () => {
    await up()
    const containers = [{ name: 'web', image: 'busybox:hand' }]
    cluster.edit('deployments web', 'kubectl-edit', {
      apiVersion: 'apps/v1',
      spec: { replicas: 7, template: { spec: { containers } } },
    })
    const { stdout } = await run('plan')
    assert.match(
      stdout,
      /~ web: recreate {2}deploy\.replicas 7 \(by kubectl-edit\)→2 · image busybox:hand \(by kubectl-edit\)→busybox:1/,
    )
    await up()
    assert.equal(cluster.get('deployments web')?.spec?.['replicas'], 2)
    assert.match((await run('plan')).stdout, /no changes/)
  })

  test('leaves replicas to an autoscaler', async () => {
    await up()
    cluster.edit(
      'deployments web',
      'kube-controller-manager',
      { apiVersion: 'apps/v1', spec: { replicas: 5 } },
      'scale',
    )
    assert.match((await run('plan')).stdout, /no changes/)
    await up(stack.replace('A: "1"', 'A: "2"'))
    assert.equal(cluster.get('deployments web')?.spec?.['replicas'], 5)
  })

  test('lets go of what the stack says no more, and removes what nothing uses once all is up', async () => {
    await up()
    const [before] = plural('configmaps').filter(name => name.startsWith('shop-page'))
    cluster.calls.length = 0
    await up(stack.replace('v1', 'v2').replace('A: "1", ', ''))
    const now = plural('configmaps').filter(name => name.startsWith('shop-page'))
    assert.equal(now.length, 1)
    assert.notEqual(now[0], before)
    assert.equal(writes().at(-1), `DELETE configmaps ${before}`)
    assert.ok(!JSON.stringify(cluster.get('deployments web')?.spec).includes('"A"'))
    assert.match((await run('plan')).stdout, /no changes/)
  })

  test('removes services that the stack has no more only when it is asked to', async () => {
    await up()
    const less = stack.replace(/ {2}web:[\s\S]*(?=volumes: \{data)/, '').replace(/configs: .*/, '')
    const told = await up(less)
    assert.match(told.stderr, /web is not in the stack: --remove-orphans removes/)
    assert.deepEqual(plural('deployments'), ['db', 'web'])
    await up(less, '--remove-orphans')
    assert.deepEqual(plural('deployments'), ['db'])
    assert.deepEqual(plural('services'), ['db'])
    assert.deepEqual(plural('persistentvolumeclaims'), ['shop-data'])
  })

  test('leaves what a service of another profile, or one that is no more in the stack, still has mounted', async () => {
    const debug = stack.replace(
      'services:',
      'services:\n  debug: {image: "busybox:1", profiles: [debug], configs: [extra], networks: [side], volumes: ["more:/more"]}',
    )
    const with_ =
      `${debug.replace('volumes: {data: }', 'volumes: {data: , more: }')}  extra: {content: "x"}\nnetworks: {side: }\n`.replace(
        'configs: {page: {content: "v1"}}\n',
        'configs:\n  page: {content: "v1"}\n',
      )
    await up(with_, '--profile', 'debug')
    const all = () => ['configmaps', 'networkpolicies', 'persistentvolumeclaims', 'deployments'].map(plural)
    const before = all()
    assert.ok(before[0]!.some(name => name.startsWith('shop-extra')))
    await up(with_)
    assert.deepEqual(all(), before)
    // no word of it in the file, and nobody asks to remove it
    const told = await up(stack)
    assert.match(told.stderr, /debug is not in the stack/)
    assert.deepEqual(all(), before)
    const gone = await up(stack, '--remove-orphans')
    assert.match(gone.stderr, /claim "shop-more" is used by nothing any more, and stays with its data/)
    assert.deepEqual(plural('deployments'), ['db', 'web'])
    assert.ok(!plural('configmaps').some(name => name.startsWith('shop-extra')))
    assert.deepEqual(plural('persistentvolumeclaims'), ['shop-data', 'shop-more'])
  })

  test('makes anew what cannot be changed, and with new pods what is to be', async () => {
    const job = `${stack.replace('services:', 'services:\n  job: {image: "busybox:1", restart: "no"}')}`
    await up(job)
    const uid = cluster.get('jobs job')?.metadata.uid
    write(job.replace('"busybox:1"', '"busybox:2"'))
    const { stdout } = await run('plan')
    assert.match(stdout, /~ job: recreate {2}image busybox:1→busybox:2/)
    await up(job.replace('"busybox:1"', '"busybox:2"'))
    assert.notEqual(cluster.get('jobs job')?.metadata.uid, uid)
    const generation = cluster.get('deployments web')?.metadata.generation
    await up(job.replace('"busybox:1"', '"busybox:2"'), '--force-recreate', 'web')
    assert.equal(cluster.get('deployments web')?.metadata.generation, Number(generation) + 1)
    assert.match((await run('plan')).stdout, /no changes/)
  })

  test('refuses what is not of the stack, what the cluster refuses, and where there is no namespace, before anything is written', async () => {
    await up(stack.replaceAll('shop', 'other'))
    cluster.calls.length = 0
    const foreign = await run('-p', 'mine', 'up', '-d')
    assert.match(foreign.stderr, /Cannot have Deployment web: there is one that is not of this stack/)
    const bad = await run('--dry-run', 'up', '--scale', 'web=-1')
    assert.notEqual(bad.code, 0)
    const missing = await run('--context', 'b', 'up', '-d')
    assert.match(missing.stderr, /there is no namespace "missing"/)
    const elsewhere = await run('--context', 'nowhere', 'up', '-d')
    assert.match(elsewhere.stderr, /has no context "nowhere"\n {2}There are a, b/)
    assert.deepEqual(writes(), [])
  })

  test('says what a cluster does not keep', async () => {
    cluster.drops = ['spec.template.spec.containers.*.lifecycle.stopSignal']
    const { stderr } = await up(stack.replace('command: sleep', 'stop_signal: SIGINT\n    command: sleep'))
    assert.match(stderr, /compose\.yaml:4:3 services\.db: this cluster does not keep stop_signal/)
  })

  test('says what it does not honour, with file and line, and --strict refuses', async () => {
    const strange = stack.replace('command: sleep', 'cpuset: "0"\n    command: sleep')
    const warned = await up(strange)
    assert.match(warned.stderr, /compose\.yaml:6:5[\s\S]*"cpuset" is not honoured: a pod has no such thing/)
    assert.notEqual((await run('--strict', 'plan')).code, 0)
    // several pods may have one port: each has an address of its own
    write(stack.replace('expose: ["80"]', 'ports: [{target: 80, published: "80"}]'))
    assert.ok(!(await run('plan')).stderr.includes('published by one container only'))
  })
})

describe('the other commands in a cluster', () => {
  test('ps shows pods, logs what they say, and down removes all but volumes', async () => {
    await up()
    const listed = await run('ps')
    assert.match(listed.stdout, /web-1 +busybox:1 +web +node-1 +running/)
    const said = await run('logs', '--no-color', 'web')
    assert.match(said.stdout, /web-0 +\| web-0 says/)
    const done = await run('down')
    assert.equal(done.code, 0, done.all)
    for (const kind of ['deployments', 'services', 'configmaps', 'secrets', 'networkpolicies', 'pods'])
      assert.deepEqual(plural(kind), [], kind)
    assert.deepEqual(plural('persistentvolumeclaims'), ['shop-data'])
    assert.match(writes().at(-1)!, /DELETE configmaps tscompose-shop/)
    await up()
    await run('down', '-v')
    assert.deepEqual(plural('persistentvolumeclaims'), [])
  })

  test('down of one service leaves the others', async () => {
    await up()
    const done = await run('down', 'web')
    assert.equal(done.code, 0, done.all)
    assert.deepEqual(plural('deployments'), ['db'])
    assert.deepEqual(plural('configmaps').slice(-1), ['tscompose-shop'])
    assert.match((await run('down', 'none')).stderr, /no such service: none/)
  })

  test('history keeps each apply, and rollback goes back to an earlier one', async () => {
    env['TSCOMPOSE_STATE'] = join(cwd, 'state')
    await up()
    await up(stack.replace('A: "1"', 'A: "2"').replace('v1', 'v2'))
    await up(stack.replace('A: "1"', 'A: "2"').replace('v1', 'v2'))
    const listed = await run('history')
    assert.match(listed.stdout, /^2 .*up +done .*\n1 .*up +done /m)
    assert.equal(listed.stdout.trim().split('\n').length, 3)
    const back = await run('rollback')
    assert.equal(back.code, 0, back.all)
    assert.match(back.stderr, /Going back to 1, up of /)
    assert.match(back.stderr, /~ web: recreate {2}environment\.A 2→1/)
    const spec = JSON.stringify(cluster.get('deployments web')?.spec)
    assert.match(spec, /"name":"A","value":"1"/)
    const page = plural('configmaps').filter(name => name.startsWith('shop-page'))
    assert.equal(cluster.get(`configmaps ${page[0]}`)?.['data']?.['content' as never], 'v1')
    assert.match((await run('history')).stdout, /^3 .*rollback 1 +done /m)
    const diff = await run('history', 'show', '3', '--json')
    for (const { all } of [listed, back, diff]) assert.ok(!all.includes('s3cr3t'))
    // the engine has a history of its own
    assert.ok(!(await run('--target', 'engine', 'history')).stdout.includes('rollback'))
    assert.match((await run('rollback', '9')).stderr, /has no apply 9 in its history/)
  })

  test('events are told as they happen, those of the stack alone', async () => {
    await up()
    const event = (name: string, reason: string, lastTimestamp: string) =>
      cluster.put('events', {
        metadata: { name: `${name}.${reason}` },
        involvedObject: { kind: 'Pod', name, uid: 'u' },
        reason,
        message: 'a word',
        type: 'Normal',
        lastTimestamp,
      })
    event('web-0', 'Started', '2026-01-02T03:04:05Z')
    event('other-0', 'Started', '2026-01-02T03:04:06Z')
    event('db-0', 'Pulled', '2026-01-02T03:04:07Z')
    const said = await run('events', '--since', '2026-01-01T00:00:00Z', '--until', '2026-02-01T00:00:00Z')
    assert.equal(
      said.stdout,
      '2026-01-02 03:04:05.000000 pod Started u (name=web-0, message=a word, level=normal)\n2026-01-02 03:04:07.000000 pod Pulled u (name=db-0, message=a word, level=normal)\n',
    )
    const one = await run(
      'events',
      '--json',
      '--since',
      '2026-01-01T00:00:00Z',
      '--until',
      '2026-02-01T00:00:00Z',
      'db',
    )
    assert.deepEqual(JSON.parse(one.stdout), {
      action: 'Pulled',
      attributes: { name: 'db-0', message: 'a word', level: 'normal' },
      id: 'u',
      service: 'db',
      time: '2026-01-02T03:04:07.000000000Z',
      type: 'pod',
    })
  })

  test('plan --export writes the objects without a call', async () => {
    const { stdout, code } = await run('plan', '--export')
    assert.equal(code, 0)
    assert.equal(stdout.match(/^kind: Deployment$/gm)?.length, 2)
    assert.deepEqual(cluster.calls, [])
    assert.match((await run('--target', 'engine', 'plan', '--export')).stderr, /--export is for the target kubernetes/)
  })

  test('that a cluster lacks are refused with what to use', async () => {
    assert.match((await run('stats')).stderr, /The target kubernetes has no "stats"\n {2}Use "kubectl top pods"/)
    assert.match((await run('exec', 'web', 'ls')).stderr, /no pod of it runs/)
    assert.match((await run('support', 'cpuset')).stdout, /services\.\*\.cpuset +no +a pod has no such thing/)
  })
})
