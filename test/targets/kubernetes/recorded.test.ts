/**
 * The server of these tests answers as a real one has answered: recorded.json is of kube-apiserver 1.37. With TSCOMPOSE_TEST_KUBECONFIG the real one is
 * asked too, and with TSCOMPOSE_RECORD=1 what it says is written.
 */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Failure } from '../../../src/lib/failure.ts'
import type { ManagedFields } from '../../../src/targets/kubernetes/live.ts'
import { Cluster } from '../../../src/targets/kubernetes/rest/cluster.ts'
import { clusterAccess } from '../../../src/targets/kubernetes/rest/kubeconfig.ts'
import { statusIn } from '../../../src/targets/kubernetes/rest/status.ts'
import { sorted } from './fake-apply.ts'
import { FakeCluster } from './fake-cluster.ts'
import { type Case, cases } from './recorded-cases.ts'

const file = fileURLToPath(new URL('recorded.json', import.meta.url))
const real = process.env['TSCOMPOSE_TEST_KUBECONFIG']

interface Said {
  readonly what: string
  readonly status: number
  readonly reason?: string
  readonly causes?: readonly string[]
  readonly fields?: unknown
  readonly object?: unknown
  /** Of a list: its kind, and members by name; null is what the server says. */
  readonly list?: readonly [kind: unknown, items: Readonly<Record<string, readonly string[]>> | null]
  /** How often what is wanted of it was another: of workloads. */
  readonly generation?: number
}

/** One after the other, without what is of the moment. */
async function asked(cluster: Cluster): Promise<readonly Said[]> {
  const said: Said[] = []
  for (const each of cases) said.push(await ask(cluster, each))
  return said
}

async function ask(cluster: Cluster, { what, method, path, ...request }: Case): Promise<Said> {
  try {
    const { status, body } = await cluster.call<Record<string, unknown>>(method, path, request)
    const metadata = body['metadata'] as
      | { readonly generation?: number; readonly managedFields?: readonly ManagedFields[] }
      | undefined
    if (method === 'DELETE') return { what, status }
    if ('items' in body) {
      const items = body['items'] as readonly { readonly metadata: { readonly name: string } }[] | null
      const members = items?.map(item => [item.metadata.name, Object.keys(item).sort()] as const)
      return { what, status, list: [body['kind'], members ? Object.fromEntries(members) : null] }
    }
    const fields = (metadata?.managedFields ?? [])
      // what controllers say of it comes when it comes
      .filter(({ manager, subresource }) => (manager === 'tscompose' || manager === 'other') && !subresource)
      .map(({ manager, operation, fieldsV1 }) => ({ manager, operation, fieldsV1 }))
      .sort((a, b) => (String(a.manager) < String(b.manager) ? -1 : 1))
    const isWorkload = /deployments|jobs/.test(path) && request.query?.['dryRun'] === undefined
    const { spec, data } = body
    return {
      what,
      status,
      fields: sorted(fields),
      object: lasting(sorted({ spec, data })),
      ...(isWorkload ? { generation: metadata?.generation } : {}),
    }
  } catch (error) {
    const told = statusIn(error)
    if (!(error instanceof Failure) || !told) throw error
    const causes = told.causes.map(
      ({ field, reason, message }) =>
        `${reason} ${field}: ${message
          .split('\n')[0]!
          .replace(/^(.{0,15}): \{.*\}: /, '$1: ')
          .slice(0, 150)}`,
    )
    return {
      what,
      status: told.code,
      reason: told.reason,
      causes: causes.map(each => (/spec\.template:|spec\.selector:/.test(each) ? each.split(': ')[0]! : each)),
    }
  }
}

/** Without addresses and ids, which are others each time. */
function lasting(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(lasting)
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value).filter(([key]) => !/controller-uid$|^clusterIPs?$/.test(key))
  return Object.fromEntries(kept.map(([key, each]) => [key, lasting(each)]))
}

/** Whether all that one says is so in the other, whose defaults are more. */
function within(small: unknown, large: unknown): boolean {
  if (Array.isArray(small))
    return Array.isArray(large) && small.length === large.length && small.every((each, i) => within(each, large[i]))
  if (typeof small !== 'object' || small === null) return small === large
  if (typeof large !== 'object' || large === null) return false
  return Object.entries(small).every(([key, value]) => within(value, (large as Record<string, unknown>)[key]))
}

const fake = new FakeCluster()
after(() => fake.close())
const recorded = () => JSON.parse(readFileSync(file, 'utf8')) as readonly Said[]

describe('what a real API server has said', () => {
  test('is what it says today', { skip: real === undefined && 'needs TSCOMPOSE_TEST_KUBECONFIG' }, async () => {
    const cluster = new Cluster(clusterAccess({ env: { KUBECONFIG: real } }), process.env)
    try {
      const said = await asked(cluster)
      if (process.env['TSCOMPOSE_RECORD'] === '1') writeFileSync(file, `${JSON.stringify(said, null, 1)}\n`)
      assert.deepEqual(JSON.parse(JSON.stringify(said)), recorded())
    } finally {
      cluster.close()
    }
  })

  test('is what the server of these tests says', async () => {
    const server = await fake.listen()
    const access = {
      server,
      context: 'fake',
      namespace: 'default',
      tls: { rejectUnauthorized: true },
      user: { kind: 'fixed', credentials: {} },
    } as const
    const cluster = new Cluster(access, {})
    const [said, were] = [JSON.parse(JSON.stringify(await asked(cluster))) as readonly Said[], recorded()]
    cluster.close()
    for (const [i, { object, ...answer }] of said.entries()) {
      const { object: real, ...told } = were[i]!
      assert.deepEqual(answer, told)
      assert.ok(
        within(object ?? null, real ?? null),
        `${answer.what}: ${JSON.stringify(object)} is not in ${JSON.stringify(real)}`,
      )
    }
    assert.equal(said.length, were.length)
  })
})
