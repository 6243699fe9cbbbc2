import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endpoints } from '../../src/api/endpoints.ts'
import { pluginRoutes, swarmRoutes } from '../../src/engine/server/routes/swarm.ts'
import { volumeRoutes } from '../../src/engine/server/routes/volumes.ts'
import type { Volumes } from '../../src/engine/volumes/volumes.ts'
import { get, serving } from './serving.ts'

const noManager =
  'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.'

/** As a Docker Engine 28 outside a swarm answered, but where it would have made a swarm or fetched a plugin. */
const rows: readonly (readonly [request: string, status: number, message: string])[] = [
  ...[
    'GET /swarm',
    'POST /swarm/update?version=1',
    'GET /swarm/unlockkey',
    'POST /swarm/unlock',
    ...['services', 'nodes', 'tasks', 'secrets', 'configs'].flatMap(kind => [`GET /${kind}`, `GET /${kind}/x`]),
    ...['services', 'secrets', 'configs'].map(kind => `POST /${kind}/create`),
    ...['services', 'nodes', 'secrets', 'configs'].flatMap(kind => [
      `DELETE /${kind}/x`,
      `POST /${kind}/x/update?version=1`,
    ]),
    'GET /services/x/logs?stdout=1',
    'GET /tasks/x/logs?stdout=1',
  ].map(request => [request, 503, noManager] as const),
  ['PUT /volumes/x?version=1', 503, 'volume update only valid for cluster volumes, but swarm is unavailable'],
  ['POST /swarm/leave?force=1', 503, 'This node is not part of a swarm'],
  ['POST /swarm/init', 501, 'Cannot make a swarm: this engine manages the containers of one machine'],
  ['GET /plugins/a/b:c/json', 404, 'plugin "a/b:c" not found'],
  ['DELETE /plugins/x', 404, 'plugin "x" not found'],
  ['POST /plugins/x/enable?timeout=1', 404, 'plugin "x" not found'],
  ['POST /plugins/pull?remote=x', 501, 'Cannot install a plugin: this engine has none'],
]

test('what belongs to a swarm or to plugins is answered as by a Docker Engine outside a swarm', async () => {
  await using on = await serving({ ...swarmRoutes(), ...pluginRoutes() })
  for (const [request, status, message] of rows) {
    const [method, path] = request.split(' ') as [string, string]
    const [head = '', body = ''] = (await on.exchange(get(path, method))).split('\r\n\r\n')
    assert.deepEqual([request, head.split(' ')[1], JSON.parse(body).message], [request, String(status), message])
  }
})

test('what is said of plugins is JSON, or is refused before anybody looks for the plugin', async () => {
  await using on = await serving(pluginRoutes())
  const post = async (path: string, body: string) => {
    const head = `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json`
    const answer = await on.exchange(`${head}\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
    return [answer.split(' ')[1], JSON.parse(answer.split('\r\n\r\n')[1]!).message]
  }
  const badKey = "invalid JSON: invalid character 'b' looking for beginning of object key string"
  for (const path of ['/plugins/x/set', '/plugins/x/upgrade?remote=y', '/plugins/pull?remote=y'])
    assert.deepEqual([path, ...(await post(path, '{bad'))], [path, '400', badKey])
  assert.deepEqual(await post('/plugins/pull', '[]'), ['400', 'invalid reference format'])
  assert.deepEqual(await post('/plugins/x/set', '["A=b"]'), ['404', 'plugin "x" not found'])
  assert.deepEqual(await post('/plugins/x/upgrade?remote=y', '[{"Name":"network","Value":["host"]}]'), [
    '404',
    'plugin "x" not found',
  ])
  assert.equal((await post('/plugins/x/set', '{"A":"b"}'))[0], '400')
})

test('a path may end in a slash where its row does, and nowhere else', async () => {
  const list = () => []
  await using on = await serving({ networkList: list, networkListOld: list, containerList: list })
  const status = async (path: string) => (await on.exchange(get(path))).split(' ')[1]
  assert.deepEqual(
    await Promise.all(['/networks', '/networks/', '/v1.44/networks/', '/containers/json/', '/images/x/'].map(status)),
    ['200', '200', '200', '404', '404'],
  )
})

test('a volume of a swarm is not made where there is none', async () => {
  const create = () => assert.fail('it is made')
  const { volumeCreate } = volumeRoutes({ create } as unknown as Volumes, { usersOfVolume: () => [] })
  await using on = await serving({ volumeCreate })
  const body = { Name: 'shared', ClusterVolumeSpec: { AccessMode: { Scope: 'single' } } }
  await assert.rejects(on.client.call(endpoints.volumeCreate, { body }), { message: noManager })
})
