/** Removes snapshots, with the copies of volumes that they are. */
import { endpoints } from '../../api/endpoints.ts'
import { command } from '../command.ts'
import { snapshotsOf } from '../snapshots-of.ts'

export const snapshotRm = command({
  usage: 'NAME [NAME...]',
  words: [1, Infinity],
  options: {},
  examples: [['tscompose snapshot rm before-update', 'what nobody goes back to']],
  async run(call) {
    const { client, snapshots } = await snapshotsOf(call)
    // all must be known before one of them goes
    const found = call.args.map(name => snapshots.get(name))
    if (call.globals['dry-run']) return
    for (const { name, volumes } of found) {
      for (const { copy } of volumes)
        await client.call(
          endpoints.volumeRemove,
          { params: { name: copy }, query: { force: true } },
          { signal: call.signal },
        )
      snapshots.remove(name)
      call.screen.print(name)
    }
  },
})
