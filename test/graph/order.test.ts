import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Graph } from '../../src/graph/graph.ts'
import { findCycle, layers, order } from '../../src/graph/order.ts'

function graph(...edges: readonly string[]): Graph {
  const made = new Graph()
  for (const edge of edges) {
    const [from, to] = edge.split('>') as [string, string]
    made.addEdge(from, to, 'started')
  }
  return made
}

test('layers() puts each node after all it needs, sorted within a layer', () => {
  assert.deepEqual(layers(graph('web>api', 'api>db', 'web>cache', 'job>db')), [
    ['cache', 'db'],
    ['api', 'job'],
    ['web'],
  ])
  assert.deepEqual(layers(graph('b>x', 'a>y')), [
    ['x', 'y'],
    ['a', 'b'],
  ])
})

test('layers() names the cycle in full, from its first by name', () => {
  assert.throws(() => layers(graph('web>api', 'api>web', 'front>web')), {
    kind: 'invalid',
    message: 'Cannot order the services: api → web → api need each other',
    hint: 'Remove one of these dependencies',
  })
})

test('findCycle() finds a node that needs itself, and nothing where there is no cycle', () => {
  assert.deepEqual(findCycle(graph('a>a')), ['a', 'a'])
  assert.deepEqual(findCycle(graph('a>b', 'c>d', 'd>e', 'e>c')), ['c', 'd', 'e', 'c'])
  assert.equal(findCycle(graph('a>b', 'b>c', 'a>c')), undefined)
})

test('findCycle() leaves out what only leads to a cycle, and begins with the first by name wherever it came in', () => {
  assert.deepEqual(findCycle(graph('a>d', 'd>c', 'c>e', 'e>d')), ['c', 'e', 'd', 'c'])
})

test('order() walks a chain of 20,000 without deep recursion', () => {
  const edges = Array.from({ length: 20_000 }, (_, i) => `n${i + 1}>n${i}`)
  const sorted = order(graph(...edges))
  assert.equal(sorted[0], 'n0')
  assert.equal(sorted.length, 20_001)
})
