import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure, type FailureKind } from '../../../src/lib/failure.ts'
import type { Observed, ObservedContainer } from '../../../src/targets/engine/observed.ts'
import type { Operation } from '../../../src/targets/engine/operation.ts'
import { outrun } from '../../../src/targets/engine/outrun.ts'
import { nothing } from './plan/project.ts'

const on = { cause: '', name: 'shop-web-1', service: 'web', container: 'old' }
const create = {
  kind: 'create-container',
  createName: 'old_shop-web-1',
  platform: undefined,
  body: {},
  late: [],
  cause: '',
  name: 'shop-web-1',
  service: 'web',
} as const

function containers(...all: readonly (readonly [id: string, name: string, state?: string])[]): Observed {
  return nothing({
    containers: all.map(([id, name, state = 'running']) => ({ id, name, state }) as ObservedContainer),
  })
}

const network = (id: string): Observed => nothing({ networks: new Map([['n', { id, name: 'n', labels: {} }]]) })
const before = containers(['old', 'shop-web-1'])

const rows: readonly (readonly [string, Operation, FailureKind, Observed, Observed, boolean])[] = [
  [
    'a network that is there now',
    { kind: 'create-network', cause: '', name: 'n', body: { Name: 'n' } },
    'conflict',
    nothing(),
    network('1'),
    true,
  ],
  [
    'a network that was there',
    { kind: 'create-network', cause: '', name: 'n', body: { Name: 'n' } },
    'conflict',
    network('1'),
    network('1'),
    false,
  ],
  [
    'a network that is not there',
    { kind: 'create-network', cause: '', name: 'n', body: { Name: 'n' } },
    'conflict',
    nothing(),
    nothing(),
    false,
  ],
  [
    'a container that goes on already',
    { kind: 'unpause-container', ...on },
    'conflict',
    containers(['old', 'shop-web-1', 'paused']),
    before,
    true,
  ],
  [
    'a container that is paused still',
    { kind: 'unpause-container', ...on },
    'conflict',
    containers(['old', 'shop-web-1', 'paused']),
    containers(['old', 'shop-web-1', 'paused']),
    false,
  ],
  [
    'a container under its first name',
    create,
    'conflict',
    before,
    containers(['old', 'shop-web-1'], ['new', 'old_shop-web-1']),
    true,
  ],
  ['a container that has its last name already', create, 'conflict', before, containers(['new', 'shop-web-1']), true],
  ['a name that somebody outside holds', create, 'conflict', before, before, false],
  [
    'a name that was given to another',
    { kind: 'rename-container', ...on },
    'conflict',
    before,
    containers(['new', 'shop-web-1']),
    true,
  ],
  ['the start of what is gone', { kind: 'start-container', ...on }, 'not-found', before, nothing(), true],
  ['the start of what is there', { kind: 'start-container', ...on }, 'not-found', before, before, false],
  ['a start that is refused', { kind: 'start-container', ...on }, 'conflict', before, nothing(), false],
  [
    'the removal of what runs now',
    { kind: 'remove-container', force: false, volumes: false, ...on },
    'conflict',
    containers(['old', 'x', 'created']),
    before,
    true,
  ],
  [
    'the removal of what does not run',
    { kind: 'remove-container', force: false, volumes: false, ...on },
    'conflict',
    before,
    containers(['old', 'x', 'exited']),
    false,
  ],
  ['any other failure', create, 'internal', before, containers(['new', 'shop-web-1']), false],
]

for (const [what, operation, kind, was, now, expected] of rows)
  test(`outrun() is ${expected} for ${what}`, () => {
    const failed = { node: { id: 1, operation, after: [] }, failure: new Failure(kind, 'no') }
    assert.equal(outrun(failed, was, now), expected)
  })
