/** deploy: replicas, resources, restarts and updates. */
import { bytes, duration, float, int, listOf, object, oneOf, type Shape, text } from '../grammar.ts'
import { deviceRequests } from './devices.ts'
import { keyValues } from './forms.ts'
import { orNull } from './resources.ts'
import { between, leastMemory, word } from './values.ts'

const rollout = {
  parallelism: int('Containers at a time; 0: all at once.', { keep: true, min: 0 }),
  delay: duration('Time between groups.'),
  failure_action: text('`continue`, `rollback` or `pause`.', { judge: word(['continue', 'rollback', 'pause']) }),
  monitor: duration('How long to watch for a failure.'),
  max_failure_ratio: float('Failures to tolerate.'),
  order: oneOf(['start-first', 'stop-first'], 'What comes first.'),
}

export const deploy: Shape = orNull(
  object(
    {
      mode: text('`replicated`, `global`, `replicated-job` or `global-job`.', {
        judge: word(['replicated', 'global', 'replicated-job', 'global-job']),
      }),
      replicas: int('How many containers.', { keep: true }),
      labels: keyValues('Labels of the service, not of its containers.'),
      update_config: object(rollout, 'How to replace containers.'),
      rollback_config: object(rollout, 'How to take an update back.'),
      resources: object(
        {
          limits: object(
            {
              cpus: float('CPUs at most.', { judge: between(0, Number.POSITIVE_INFINITY) }),
              memory: bytes('Memory at most.', { textOnly: true, quoted: true, judge: leastMemory }),
              pids: int('Processes at most.'),
            },
            'What it can have at most.',
          ),
          reservations: object(
            {
              cpus: float('CPUs to set aside.'),
              memory: bytes('Memory to set aside.', { textOnly: true, quoted: true, judge: leastMemory }),
              devices: deviceRequests,
              generic_resources: listOf(
                object({
                  discrete_resource_spec: object(
                    { kind: text('Kind.', { keep: true }), value: int('How many.', { loose: true, keep: true }) },
                    'A countable thing.',
                  ),
                }),
                'Other resources.',
              ),
            },
            'What must be free for it.',
          ),
        },
        'Limits and reservations.',
      ),
      restart_policy: object(
        {
          condition: text('`none`, `on-failure` or `any`.', {
            judge: word(['none', 'on-failure', 'any', 'no', 'always', 'unless-stopped']),
          }),
          delay: duration('Time before a restart.', { keep: true }),
          max_attempts: int('Restarts before giving up.', { keep: true, min: 0 }),
          window: duration('How long it must run to count as started.', { keep: true }),
        },
        'When to start it again.',
      ),
      placement: object(
        {
          constraints: listOf(text(), 'Where it may run.'),
          preferences: listOf(object({ spread: text('Label to spread over.') }), 'Where it should rather run.'),
          max_replicas_per_node: int('Containers on one machine at most.', { min: 0 }),
        },
        'On which machine.',
      ),
      endpoint_mode: text('`vip` or `dnsrr`.', { judge: word(['vip', 'dnsrr']) }),
    },
    'How it is run.',
  ),
)
