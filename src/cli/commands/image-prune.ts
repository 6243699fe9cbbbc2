/** Removes images that nobody uses. */
import type { Filters } from '../../api/filters.ts'
import { imageEndpoints } from '../../api/images.ts'
import { decimalSize } from '../../lib/units.ts'
import { command } from '../command.ts'
import { asks } from '../confirm.ts'
import { usage } from '../options.ts'

export const imagePrune = command({
  usage: '[OPTIONS]',
  about: 'Those without a name; with --all, all that no container has.',
  words: [0, 0],
  options: {
    all: { kind: 'flag', short: 'a', about: 'Those with a name too' },
    filter: { kind: 'list', value: 'KEY=VALUE', about: 'until=TIME, label=KEY[=VALUE], label!=…; repeat for several' },
    force: { kind: 'flag', short: 'f', about: 'Without asking' },
  },
  examples: [
    ['tscompose image prune', 'those without a name'],
    ['tscompose image prune --all', 'those without a container'],
  ],
  async run(call) {
    const { options, screen, signal } = call
    const filters: Record<string, string[]> = { dangling: [String(!options.all)] }
    for (const each of options.filter) {
      const [, key, value] = /^(until|label!?)=(.+)$/.exec(each) ?? []
      if (key === undefined) throw usage(`Cannot use filter "${each}": it is until=, label= or label!=`)
      ;(filters[key] ??= []).push(value!)
    }
    const what = options.all ? 'all images that no container has' : 'all images without a name'
    if (!options.force && screen.stdinIsTTY && !(await asks(call, `This removes ${what}. Go on?`))) return
    const client = await call.connect()
    const query = { filters: filters as Filters }
    const { ImagesDeleted, SpaceReclaimed } = await client.call(imageEndpoints.imagePrune, { query }, { signal })
    for (const each of ImagesDeleted ?? [])
      screen.print('Deleted' in each ? `Deleted: ${each.Deleted}` : `Untagged: ${each.Untagged}`)
    screen.print(`Reclaimed: ${decimalSize(SpaceReclaimed)}`)
  },
})
