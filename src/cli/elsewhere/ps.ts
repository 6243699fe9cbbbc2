/** `ps` on a target that is not the engine: a line a replica. */
import type { Part, TargetName } from '../../targets/target.ts'
import type { Call } from '../command.ts'
import { printList } from '../print.ts'
import { projectName } from '../project.ts'
import { openTarget } from '../targets.ts'
import { refuseOptions } from './refuse-options.ts'

export async function ps(call: Call, name: Exclude<TargetName, 'engine'>): Promise<number> {
  refuseOptions(call, name, ['filter'])
  const { options, screen, args } = call
  const [project, target] = await Promise.all([projectName(call), openTarget(call, name)])
  const all = target.describe(await target.observe(project, { signal: call.signal }))
  const states = options['status'] as readonly string[]
  const rows = all
    .filter(({ Service }) => args.length === 0 || args.includes(Service))
    .filter(({ State }) => states.length === 0 || states.includes(State))
  if (options['quiet']) screen.printAll(rows.map(({ ID }) => ID))
  else if (options['services']) screen.printAll([...new Set(rows.map(({ Service }) => Service))])
  else
    await printList<Part>(screen, {
      format: options['format'] as string | undefined,
      rows,
      columns: {
        NAME: row => row.Name,
        IMAGE: row => row.Image,
        SERVICE: row => row.Service,
        NODE: row => row.Node,
        STATUS: row => row.Status,
        PORTS: row => row.Ports,
      },
      json: 'lines',
      anyText: true,
    })
  return 0
}
