/** What fails of a plan is told where the stack asks for it. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { PlanFailure } from '../../../src/apply/plan-failure.ts'
import { Failure } from '../../../src/lib/failure.ts'
import type { PlanNode } from '../../../src/plan/plan.ts'
import { placed } from '../../../src/targets/engine/asked-at.ts'
import { loadFiles } from '../../stack/stacks.ts'

const yaml = `services:
  all:
    image: x
    build: .
    command: [run]
    user: nobody
    working_dir: /w
    ports: ["80:80"]
    volumes: ["data:/data"]
    devices: [/dev/fuse]
    networks: [front]
    healthcheck: {test: "true"}
    post_start: [{command: ["true"]}]
    pre_stop: [{command: ["true"]}]
    pre_start: [{image: x, command: ["true"]}]
  own: {image: x, entrypoint: [run], command: [it]}
  bare: {image: x}
networks: {front: {}}
volumes: {data: {}}
`

/** [kind and other members of the operation, what the engine says, the line it is told at, the field] */
const failures: ReadonlyArray<readonly [operation: object, said: string, line: number, path: string]> = [
  [{ kind: 'create-network', body: { Labels: { 'com.docker.compose.network': 'front' } } }, 'no', 18, 'networks.front'],
  [{ kind: 'create-volume', body: { Labels: { 'com.docker.compose.volume': 'data' } } }, 'no', 19, 'volumes.data'],
  [{ kind: 'pull-image', services: ['all', 'own'] }, 'no', 3, 'services.all.image'],
  [{ kind: 'build-image', services: ['all'] }, 'no', 4, 'services.all.build'],
  [
    { kind: 'start-container', service: 'all' },
    'exec: "run": executable file not found in $PATH',
    5,
    'services.all.command',
  ],
  [
    { kind: 'start-container', service: 'own' },
    'exec: "run": executable file not found in $PATH',
    16,
    'services.own.entrypoint',
  ],
  [
    { kind: 'start-container', service: 'bare' },
    'exec: "run": executable file not found in $PATH',
    17,
    'services.bare',
  ],
  [
    { kind: 'start-container', service: 'all' },
    'unable to find user nobody: no matching entries in passwd file',
    6,
    'services.all.user',
  ],
  [{ kind: 'start-container', service: 'all' }, 'Cannot mkdir: /w is not a directory', 7, 'services.all.working_dir'],
  [
    { kind: 'start-container', service: 'all' },
    'Bind for 0.0.0.0:80 failed: port is already allocated',
    8,
    'services.all.ports',
  ],
  [{ kind: 'create-container', service: 'all' }, 'bind source path does not exist: /nope', 9, 'services.all.volumes'],
  [{ kind: 'start-container', service: 'all' }, 'error gathering device information', 10, 'services.all.devices'],
  [{ kind: 'create-container', service: 'all' }, 'invalid config for network front', 11, 'services.all.networks'],
  [{ kind: 'connect-network', service: 'all' }, 'no', 11, 'services.all.networks'],
  [
    { kind: 'wait-container', service: 'all' },
    'container all-1 is unhealthy: its check ended with 1',
    12,
    'services.all.healthcheck',
  ],
  [
    { kind: 'wait-container', service: 'all' },
    'service "all" didn\'t complete successfully: exit 3',
    2,
    'services.all',
  ],
  [
    { kind: 'run-hook', service: 'all', phase: 'post_start' },
    'a hook exited with status 1',
    13,
    'services.all.post_start',
  ],
  [{ kind: 'run-hook', service: 'all', phase: 'pre_stop' }, 'a hook exited with status 1', 14, 'services.all.pre_stop'],
  [{ kind: 'run-init', service: 'all' }, 'it ended with 1', 15, 'services.all.pre_start'],
  [{ kind: 'start-container', service: 'all' }, 'the engine says something new', 2, 'services.all'],
  [{ kind: 'stop-container', service: 'own' }, 'no', 16, 'services.own'],
]

function failureOf(...all: readonly (readonly [operation: object, said: string])[]): PlanFailure {
  const failed = all.map(([operation, said], id) => ({
    node: { id, after: [], operation: { cause: '', name: 'x', ...operation } } as unknown as PlanNode,
    failure: new Failure('conflict', said, { hint: 'Do it otherwise' }),
  }))
  return new PlanFailure([failed[0]!, ...failed.slice(1)])
}

describe('placed()', async () => {
  const { project } = await loadFiles({ 'compose.yaml': yaml })
  for (const [operation, said, line, path] of failures)
    test(`${Object.values(operation)[0]}, "${said}": ${path}`, () => {
      const [problem, ...others] = placed(failureOf([operation, said]), project).problems
      assert.deepEqual([problem?.place?.line, problem?.path.join('.')], [line, path])
      assert.deepEqual([problem?.message, problem?.hint, problem?.code], [said, 'Do it otherwise', 'conflict'])
      assert.deepEqual(others, [])
    })

  test('tells what the stack does not have without a place, beside what has one', () => {
    const gone = [{ kind: 'remove-container', service: 'gone' }, 'it stays'] as const
    const network = [{ kind: 'remove-network' }, 'it has endpoints'] as const
    assert.deepEqual(placed(failureOf(gone, network), project).problems, [])
    const { problems } = placed(failureOf(gone, [{ kind: 'pull-image', services: ['bare'] }, 'no']), project)
    assert.deepEqual(
      problems.map(({ path, place }) => [path.join('.'), place?.line]),
      [
        ['', undefined],
        ['services.bare.image', 17],
      ],
    )
  })
})
