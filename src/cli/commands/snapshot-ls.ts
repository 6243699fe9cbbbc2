/** The snapshots of a stack, the newest first. */
import { printable } from '../../lib/text.ts'
import { localTime } from '../../view/applies.ts'
import { command } from '../command.ts'
import { formatOption, printList } from '../print.ts'
import { snapshotsOf } from '../snapshots-of.ts'

export const snapshotLs = command({
  usage: '[OPTIONS]',
  words: [0, 0],
  options: {
    quiet: { kind: 'flag', short: 'q', about: 'Print names only' },
    format: formatOption,
  },
  examples: [['tscompose snapshot ls', 'what there is to go back to']],
  async run(call) {
    const { options, screen } = call
    const { snapshots } = await snapshotsOf(call)
    const read = snapshots.read()
    for (const text of read.damaged) screen.warn(`${printable(text)}: it is left out`)
    const rows = read.snapshots.toReversed().map(({ name, created, user, cause, volumes, images }) => ({
      Name: name,
      Created: created,
      User: user,
      Cause: cause,
      Volumes: volumes.map(each => each.volume),
      Images: images,
    }))
    if (options.quiet) return screen.printAll(rows.map(row => row.Name))
    await printList(screen, {
      format: options.format,
      rows,
      columns: {
        NAME: row => row.Name,
        WHEN: row => localTime(row.Created),
        BY: row => row.User,
        VOLUMES: row => row.Volumes.join(', '),
        CAUSE: row => row.Cause,
      },
      json: 'array',
    })
  },
})
