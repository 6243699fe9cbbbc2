import assert from 'node:assert/strict'
import { test } from 'node:test'
import { load, problems } from './stacks.ts'

const stack = (registry: string) => `x-registry: ${registry}\nservices: {a: {image: i}}\n`

test('x-registry is a host, with a port and a path where there are some, and variables are filled in', async () => {
  for (const place of [
    'registry.example.com',
    'registry.example.com/a/team',
    'localhost',
    'localhost:5000/x',
    '10.0.0.1:5000',
    'build:5000',
    '"[::1]:5000"',
  ])
    assert.equal((await load(stack(place))).project.registry, place.replaceAll('"', ''), place)
  const { project } = await load(stack(`$\{REGISTRY}/team`), { env: { REGISTRY: 'r.example' } })
  assert.equal(project.registry, 'r.example/team')
  assert.equal((await load('services: {a: {image: i}}\n')).project.registry, undefined)
})

test('what is none is refused at its place', async () => {
  const texts = ['https://registry.example.com', 'team', 'team/app', 'r.example/Team', 'r.example/', 'r.example/a:tag']
  for (const text of [...texts, '5000', '[a]', '""']) {
    const [problem] = await problems(stack(text))
    assert.match(problem?.message ?? '', /"x-registry": it is no place in a registry/, text)
    assert.deepEqual([problem?.place?.line, problem?.place?.column], [1, 13])
  }
})
