import assert from 'node:assert/strict'
import { test } from 'node:test'
import { draw } from '../../src/graph/draw.ts'
import { serviceGraph, sharedNamespaces } from '../../src/graph/services.ts'
import { needs, project, service } from '../targets/engine/plan/project.ts'

const shop = project([
  service('db'),
  service('vpn'),
  service('web', {
    dependsOn: { ...needs('db', 'healthy'), ...needs('vpn'), ...needs('absent', 'started', { required: false }) },
    networkMode: { kind: 'service', service: 'vpn' },
    links: [{ service: 'db', alias: 'database' }],
    volumesFrom: [{ kind: 'service', name: 'db', readOnly: true }],
  }),
])

test('serviceGraph() labels an edge with every reason for it and leaves out services that are not to run', () => {
  assert.deepEqual(serviceGraph(shop).edges, [
    { from: 'web', to: 'db', labels: ['healthy', 'volumes_from', 'links'] },
    { from: 'web', to: 'vpn', labels: ['network_mode'] },
  ])
})

test('sharedNamespaces() names the services whose namespaces a service enters', () => {
  assert.deepEqual(sharedNamespaces(shop.services['web']!), ['vpn'])
  const ipc = service('x', { ipc: { kind: 'service', service: 'db' }, pid: { kind: 'service', service: 'db' } })
  assert.deepEqual(sharedNamespaces(ipc), ['db'])
})

test('draw() writes Mermaid with quoted names', () => {
  assert.equal(
    draw(serviceGraph(shop), 'mermaid'),
    `flowchart TD
  n0["db"]
  n1["vpn"]
  n2["web"]
  n2 -->|healthy, volumes_from, links| n0
  n2 -->|network_mode| n1
`,
  )
})

test('draw() writes Graphviz and JSON with the layers', () => {
  assert.match(draw(serviceGraph(shop), 'dot'), /"web" -> "vpn" \[label="network_mode"\];/)
  const data = JSON.parse(draw(serviceGraph(shop), 'json'))
  assert.deepEqual(data.layers, [['db', 'vpn'], ['web']])
  assert.equal(data.edges.length, 2)
})
