/** An image out of what a container has become. */
import { endpoints } from '../../api/endpoints.ts'
import { listedName } from '../../api/listed-name.ts'
import { command } from '../command.ts'
import { splitReference } from '../image-reference.ts'
import { replicaOf } from '../replicas.ts'

export const commit = command({
  usage: '[OPTIONS] SERVICE [REPOSITORY[:TAG]]',
  words: [1, 2],
  options: {
    author: { kind: 'text', short: 'a', value: 'TEXT', about: 'Who made it' },
    change: { kind: 'list', short: 'c', value: 'INSTRUCTION', about: 'A Dockerfile instruction: CMD, ENV, EXPOSE, …' },
    message: { kind: 'text', short: 'm', value: 'TEXT', about: 'A comment in the history of the image' },
    pause: { kind: 'flag', short: 'p', on: true, about: 'Freeze the container meanwhile' },
    index: { kind: 'number', value: 'N', about: 'Which replica (default: the first that runs)' },
  },
  examples: [['tscompose commit -c \'CMD ["app"]\' web shop/web:patched', 'what was changed by hand, kept']],
  async run(call) {
    const { options, signal, screen, globals } = call
    const [service, reference] = call.args as [string, string?]
    const { client, one } = await replicaOf(call, service, options.index)
    if (globals['dry-run']) return
    const { Id: id } = await client.call(
      endpoints.containerCommit,
      {
        query: {
          container: one.Id,
          ...splitReference(reference),
          comment: options.message,
          author: options.author,
          pause: options.pause,
          changes: options.change,
        },
      },
      { signal },
    )
    if (globals.progress !== 'quiet') screen.say(` ${listedName(one)} Committed as ${id}`)
  },
})
