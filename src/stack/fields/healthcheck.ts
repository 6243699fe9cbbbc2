/** healthcheck: a command, how often, how long, how many times. */
import { bool, choice, duration, int, listOf, object, type Shape, text } from '../grammar.ts'
import { list, type Node, scalar } from '../tree.ts'
import { replace } from './forms.ts'
import { leastInterval } from './values.ts'

export const healthcheck: Shape = object(
  {
    test: choice(
      [text(), listOf(text())],
      'The command: a string for a shell, or a list that begins with CMD, CMD-SHELL or NONE.',
      {
        examples: [['CMD', 'curl', '-f', 'http://localhost'], 'pg_isready -U postgres'],
        merge: replace,
        long: choice([text(), listOf(text())], 'The command.', { merge: replace, finish: shellForm }),
      },
    ),
    timeout: duration('A check that takes longer has failed.', { keep: true, judge: leastInterval }),
    interval: duration('Time between checks.', { keep: true, judge: leastInterval }),
    retries: int('Failures in a row before it is unhealthy.', { min: 0, loose: true, keep: true }),
    start_period: duration('Failures this early do not count.', { keep: true, judge: leastInterval }),
    start_interval: duration('Time between checks in the start period.', { keep: true, judge: leastInterval }),
    disable: bool('No check, not even the one of the image.'),
  },
  'How to tell whether the container is well.',
)

function shellForm(node: Node): Node {
  if (node.kind !== 'scalar' || typeof node.value !== 'string') return node
  return list([scalar('CMD-SHELL', node), node], node)
}
