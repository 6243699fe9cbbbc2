import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Live, LivePod } from '../../../src/targets/kubernetes/live.ts'
import type { Kind } from '../../../src/targets/kubernetes/manifest.ts'
import { stateOf } from '../../../src/targets/kubernetes/workload-state.ts'

const live = (kind: Kind, spec: object, status: object, generation = 2): Live =>
  ({ kind, metadata: { name: 'a', generation }, spec, status: { observedGeneration: 2, ...status } }) as Live
const pod = (status: object, more: object = {}): LivePod => ({ metadata: { name: 'p', ...more }, status }) as LivePod
const waiting = (reason: string) =>
  pod({ containerStatuses: [{ name: 'c', state: { waiting: { reason, message: 'why' } } }] })
const ended = (restartCount: number) =>
  pod({
    containerStatuses: [
      {
        name: 'c',
        restartCount,
        state: { waiting: { reason: 'CrashLoopBackOff' } },
        lastState: { terminated: { exitCode: 7 } },
      },
    ],
  })

describe('a workload', () => {
  const rolled = { replicas: 2, updatedReplicas: 2, availableReplicas: 2, readyReplicas: 2 }
  for (const [what, object, pods, condition, want] of [
    ['is up when all are', live('Deployment', { replicas: 2 }, rolled), [], 'started', 'done'],
    ['of none is up', live('Deployment', { replicas: 0 }, {}), [], 'started', 'done'],
    ['whose change nobody has seen is not', live('Deployment', { replicas: 2 }, rolled, 3), [], 'started', '2 of 2'],
    [
      'beside old pods is not',
      live('Deployment', { replicas: 2 }, { ...rolled, replicas: 3 }),
      [],
      'started',
      '2 of 2',
    ],
    [
      'whose pods are old is not',
      live('Deployment', { replicas: 2 }, { ...rolled, updatedReplicas: 1 }),
      [],
      'started',
      '2 of 2',
    ],
    [
      'may still become ready',
      live('Deployment', { replicas: 2 }, { ...rolled, availableReplicas: 1 }),
      [waiting('ContainerCreating')],
      'started',
      '1 of 2',
    ],
    [
      'without an image does not',
      live('Deployment', {}, {}),
      [waiting('ErrImagePull')],
      'started',
      'does not start: ErrImagePull: why',
    ],
    ['may fail twice', live('Deployment', {}, {}), [ended(2)], 'started', '0 of 1'],
    [
      'fails by the third end',
      live('Deployment', {}, {}),
      [ended(3)],
      'started',
      'does not start: container "c" has ended 3 times, with 7',
    ],
    [
      'is not judged by a pod that goes',
      live('Deployment', {}, {}),
      [{ ...ended(3), metadata: { name: 'p', deletionTimestamp: 'x' } }],
      'started',
      '0 of 1',
    ],
    [
      'that makes no progress fails',
      live('Deployment', {}, { conditions: [{ type: 'Progressing', status: 'False', message: 'late' }] }),
      [],
      'started',
      'does not become ready: late',
    ],
    [
      'says why it has no node',
      live('Deployment', {}, {}),
      [pod({ conditions: [{ type: 'PodScheduled', status: 'False', message: 'no nodes' }] })],
      'started',
      '0 of 1 no nodes',
    ],
    [
      'a StatefulSet is up by its revision',
      live('StatefulSet', { replicas: 2 }, { ...rolled, currentRevision: 'a', updateRevision: 'a' }),
      [],
      'started',
      'done',
    ],
    [
      'a StatefulSet that rolls is not',
      live(
        'StatefulSet',
        { replicas: 2 },
        { ...rolled, updatedReplicas: 1, currentRevision: 'a', updateRevision: 'b' },
      ),
      [],
      'started',
      '2 of 2',
    ],
    [
      'a DaemonSet is up on all nodes',
      live('DaemonSet', {}, { desiredNumberScheduled: 3, updatedNumberScheduled: 3, numberAvailable: 3 }),
      [],
      'started',
      'done',
    ],
    [
      'a DaemonSet may lack one',
      live('DaemonSet', {}, { desiredNumberScheduled: 3, updatedNumberScheduled: 3, numberAvailable: 2 }),
      [],
      'started',
      '2 of 3',
    ],
    ['a job runs', live('Job', { completions: 1 }, {}), [pod({ phase: 'Running' })], 'started', 'done'],
    [
      'a job that runs has not ended',
      live('Job', { completions: 1 }, {}),
      [pod({ phase: 'Running' })],
      'completed',
      '0 of 1',
    ],
    [
      'a job has ended',
      live('Job', {}, { succeeded: 1, conditions: [{ type: 'Complete', status: 'True' }] }),
      [],
      'completed',
      'done',
    ],
    [
      'a job has failed',
      live('Job', {}, { conditions: [{ type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded' }] }),
      [],
      'completed',
      'has failed: BackoffLimitExceeded',
    ],
    ['a CronJob is up as it is', live('CronJob', {}, {}), [], 'started', 'done'],
  ] as const)
    test(what, () => {
      const state = stateOf(object, pods, condition)
      const text =
        state.kind === 'done'
          ? 'done'
          : state.kind === 'failed'
            ? state.why
            : `${state.are} of ${state.wanted}${state.why ? ` ${state.why}` : ''}`
      assert.equal(text, want)
    })
})
