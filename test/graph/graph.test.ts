import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Graph } from '../../src/graph/graph.ts'

function graph(...edges: readonly (readonly [string, string, string])[]): Graph {
  const made = new Graph()
  for (const [from, to, label] of edges) made.addEdge(from, to, label)
  return made
}

test('Graph gives nodes and edges sorted, whatever order they came in', () => {
  const made = graph(['web', 'db', 'started'], ['api', 'db', 'healthy'])
  assert.deepEqual(made.nodes, ['api', 'db', 'web'])
  assert.deepEqual(made.edges, [
    { from: 'api', to: 'db', labels: ['healthy'] },
    { from: 'web', to: 'db', labels: ['started'] },
  ])
  assert.deepEqual(made.dependents('db'), ['api', 'web'])
  assert.deepEqual(made.dependencies('web'), ['db'])
})

test('Graph joins the labels of edges between the same nodes', () => {
  const made = graph(['web', 'db', 'healthy'], ['web', 'db', 'links'], ['web', 'db', 'links'])
  assert.deepEqual(made.labels('web', 'db'), ['healthy', 'links'])
  assert.equal(made.edges.length, 1)
})

test('Graph.closure() reaches all that is needed, however far, and leaves the rest', () => {
  const made = graph(['a', 'b', ''], ['b', 'c', ''], ['x', 'c', ''])
  assert.deepEqual([...made.closure(['a', 'unknown'])].sort(), ['a', 'b', 'c'])
})

test('Graph takes names that objects have members of', () => {
  const made = graph(['constructor', '__proto__', 'x'])
  assert.deepEqual(made.nodes, ['__proto__', 'constructor'])
})
