/** develop.watch, and the hooks of a container's life. */
import { bool, listOf, object, oneOf, type Shape, text } from '../grammar.ts'
import { command } from './command.ts'
import { keyValues, textOrList } from './forms.ts'
import { orNull } from './resources.ts'

const hook = {
  command: command('The command to run.'),
  user: text('User it runs as.'),
  privileged: bool('All capabilities and devices.'),
  working_dir: text('Folder it runs in.'),
  environment: keyValues('Further variables.', { printNull: true, unique: true }),
}

export const postStart: Shape = listOf(
  object(hook, undefined, { required: ['command'] }),
  'Commands run in the container after it started.',
)

export const preStop: Shape = listOf(
  object(hook, undefined, { required: ['command'] }),
  'Commands run in the container before it is stopped.',
)

export const preStart: Shape = listOf(
  object({ ...hook, image: text('Image it runs in.'), per_replica: bool('Once for each container instead of once.') }),
  'Commands run before the containers start.',
)

export const develop: Shape = orNull(
  object(
    {
      watch: listOf(
        object(
          {
            path: text('File or folder to watch.', { path: 'always' }),
            action: oneOf(['rebuild', 'sync', 'restart', 'sync+restart', 'sync+exec'], 'What a change leads to.'),
            target: text('Where in the container.'),
            exec: object(hook, undefined, { required: ['command'] }),
            include: textOrList('Patterns to look at alone.'),
            ignore: textOrList('Patterns to leave alone.'),
            initial_sync: bool('Copy everything at the start.', { strict: true }),
          },
          undefined,
          { required: ['path', 'action'] },
        ),
        'What to watch.',
      ),
    },
    'What happens while the sources change.',
  ),
)
