/** What `up` asks of a cluster: one list a kind, one dry run a shape before anything is written, one write a change. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, test } from 'node:test'
import { kindNames } from '../../src/targets/kubernetes/manifest.ts'
import { FakeCluster } from '../targets/kubernetes/fake-cluster.ts'
import { tscompose } from './fake-client.ts'

const folder = mkdtempSync(join(tmpdir(), 'tscompose-kubernetes-calls-'))
const clusters: FakeCluster[] = []
after(async () => {
  for (const cluster of clusters) await cluster.close()
  rmSync(folder, { recursive: true })
})

let cluster: FakeCluster
let cwd: string

beforeEach(async () => {
  cluster = new FakeCluster()
  clusters.push(cluster)
  const server = await cluster.listen()
  cwd = mkdtempSync(join(folder, 'stack-'))
  writeFileSync(
    join(cwd, 'kubeconfig'),
    `current-context: a
contexts: [{name: a, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: "${server}"}}]
users: [{name: u, user: {token: t}}]
`,
  )
})

const run = async (text: string, ...argv: readonly string[]) => {
  writeFileSync(join(cwd, 'compose.yaml'), text)
  cluster.calls.length = 0
  const env = { HOME: folder, KUBECONFIG: join(cwd, 'kubeconfig') }
  const { code, stdout, stderr } = await tscompose(argv, { env, cwd })
  return { code, all: `${stdout}${stderr}` }
}
const up = async (text: string) => {
  const done = await run(text, 'up', '-d')
  assert.equal(done.code, 0, done.all)
  return done
}
/** What was asked, by sort. */
const asked = () => {
  const of = (isOf: (call: FakeCluster['calls'][number]) => boolean) => cluster.calls.filter(isOf).length
  const isDry = ({ query }: FakeCluster['calls'][number]) => query.has('dryRun')
  return {
    lists: of(({ method, query }) => method === 'GET' && !query.has('watch')),
    dry: of(isDry),
    writes: of(call => call.method !== 'GET' && !isDry(call)),
  }
}
const stackOf = (services: readonly string[]) =>
  `name: big\nx-target: kubernetes\nservices:\n${services.map((text, i) => `  s${i}: {${text}}\n`).join('')}`
const alike = (count: number, image = 'busybox:1') =>
  Array.from({ length: count }, (_, i) => `image: "${image}", expose: ["${8000 + i}"], environment: {NUMBER: "${i}"}`)
const lists = kindNames.length
/** Of pods too. */
const waiting = { lists: lists + 1 }

test('up of 300 services asks once of each shape, and writes each object once; of what has not changed nothing is asked', async () => {
  await up(stackOf(alike(300)))
  // the parent, the policy of the network, a Service and a Deployment each
  assert.deepEqual(asked(), { ...waiting, dry: 4, writes: 2 + 2 * 300 })
  await up(stackOf(alike(300)))
  assert.deepEqual(asked(), { lists, dry: 0, writes: 0 })
  const one = alike(300).with(7, alike(300)[7]!.replace('"7"', '"seven"'))
  await up(stackOf(one))
  assert.deepEqual(asked(), { ...waiting, dry: 1, writes: 1 })
  // one has two fields that differ, the others one
  await up(stackOf(alike(300, 'busybox:2')))
  assert.deepEqual(asked(), { ...waiting, dry: 2, writes: 300 })
  assert.equal(cluster.get('deployments s7')?.metadata.generation, 3)
  assert.equal(cluster.get('deployments s8')?.metadata.generation, 2)
})

test('plan, and a dry run of up, ask of each object that differs', async () => {
  await run(stackOf(alike(20)), 'plan')
  assert.deepEqual(asked(), { lists, dry: 42, writes: 0 })
  await run(stackOf(alike(20)), '--dry-run', 'up', '-d')
  assert.deepEqual(asked(), { lists, dry: 42, writes: 0 })
})

test('what is not of the stack is found by the lists, without reading what configs and secrets of others hold', async () => {
  const metadata = { name: 's1', managedFields: [{ manager: 'kubectl-create', operation: 'Update' }] }
  cluster.put('services', { apiVersion: 'v1', metadata })
  const { code, all } = await run(stackOf(alike(3)), 'up', '-d')
  assert.notEqual(code, 0)
  assert.match(all, /compose\.yaml:5:3 services\.s1\n {2}Cannot have Service s1: .* written by kubectl-create/)
  assert.equal(asked().writes, 0)
  const accepts = cluster.calls
    .filter(({ path }) => /configmaps$|secrets$/.test(path))
    .map(({ headers }) => headers.accept)
  assert.equal(accepts.length, 2)
  for (const accept of accepts) assert.match(accept ?? '', /^application\/json;as=PartialObjectMetadataList/)
})

test('a value of another sort is asked of, and refused before anything is written', async () => {
  const { code, all } = await run(stackOf([...alike(20), 'image: "busybox:1", hostname: No_Name']), 'up', '-d')
  assert.notEqual(code, 0)
  assert.match(all, /compose\.yaml:24:3 services\.s20\n {2}Cannot have Deployment s20: .*hostname/)
  assert.equal(asked().writes, 0)
})

test('what the server refuses half way is told with its place and what is done, and the next up goes on from there', async () => {
  const published = (port: number, more = '') => `image: "busybox:1", ports: ["${port}:80"], x-expose: NodePort${more}`
  const stack = (last: number) => stackOf([published(30080), published(30081), published(last, ', depends_on: [s1]')])
  const { code, all } = await run(stack(30080), 'up', '-d')
  assert.notEqual(code, 0)
  assert.match(
    all,
    /^error compose\.yaml:6:3 services\.s2: Cannot create Service "s2-published": .*nodePort: .*30080: provided port is already allocated$/m,
  )
  const [, made, of] = /^warning (\d+) of (\d+) changes are made, ConfigMap "tscompose-big", /m.exec(all) ?? []
  assert.equal(Number(made), asked().writes - 1)
  assert.equal(Number(of), 14)
  await up(stack(30082))
  assert.equal(asked().writes, 14 - Number(made))
  assert.match((await run(stack(30082), 'plan')).all, /no changes/)
})

test('where there is no namespace that is said once', async () => {
  const { all } = await run(stackOf(alike(20)), '--namespace', 'missing', 'up', '-d')
  assert.equal(all.match(/there is no namespace "missing"/g)?.length, 1)
  assert.deepEqual(asked(), { lists, dry: 1, writes: 0 })
})

test('what a server does not keep is no cause of a change, and asked of once for all that lack it', async () => {
  cluster.drops = ['spec.template.spec.containers.*.lifecycle.stopSignal']
  const stack = (image: string) => stackOf(alike(20, image).map(each => `${each}, stop_signal: SIGINT`))
  await up(stack('busybox:1'))
  const again = await up(stack('busybox:1'))
  assert.deepEqual(asked(), { lists, dry: 1, writes: 0 })
  assert.match(again.all, /does not keep stop_signal \(here and in 19 more places\)/)
  const { all } = await run(stack('busybox:2'), 'plan')
  assert.match(all, /~ s0: recreate {2}image busybox:1→busybox:2\n/)
})
