/** Brings a stack back to a snapshot: its volumes, its model, its images. */

import { planRestore, putBack } from '../../history/restore.ts'
import { Failure } from '../../lib/failure.ts'
import { list } from '../../lib/text.ts'
import { observe } from '../../targets/engine/observe.ts'
import { applyPlan } from '../apply-plan.ts'
import { bringUp } from '../bring-up.ts'
import { command } from '../command.ts'
import { confirm } from '../confirm.ts'
import { keptProject } from '../kept-project.ts'
import { keptOwner } from '../owner.ts'
import { snapshotsOf } from '../snapshots-of.ts'

export const snapshotRestore = command({
  usage: '[OPTIONS] NAME',
  about:
    'What is in the volumes now is lost. The containers that have them mounted are made anew, and the stack is as it was when the snapshot was taken; the next up follows its files again.',
  words: [1, 1],
  options: { yes: { kind: 'flag', short: 'y', about: 'Do not ask' } },
  examples: [['tscompose snapshot restore before-update', 'volumes and containers as they were']],
  async run(call) {
    const { options, screen, signal } = call
    const { name, client, snapshots } = await snapshotsOf(call)
    const snapshot = snapshots.get(call.args[0]!)
    const { model, images, files, variables, services, scale, volumes } = snapshot
    if (model === undefined) throw new Failure('invalid', `Cannot restore "${snapshot.name}": it has no model`)
    const what = `snapshot ${snapshot.name}`
    const project = await keptProject(call, client, { model, images, files, variables, what })
    const accept = await keptOwner(call, { host: client.host, project, verb: 'restore a snapshot of' })
    const wanted = {
      loaded: { project },
      client,
      accept,
      services,
      options: { ...(services && { services }), ...(scale && { scale }), build: 'never' },
    } as const
    const isDone = await bringUp(call, wanted, {
      yes: true,
      command: `snapshot restore ${snapshot.name}`,
      before: async recorder => {
        const observed = await observe(client, name, { signal })
        accept(observed)
        const plan = await planRestore(client, { project: name, snapshot, observed })
        if (!(await confirm(call, plan, { yes: options.yes }))) return false
        recorder.plan(plan, observed)
        await applyPlan(call, { plan, client, nothing: '' })
        if (call.globals['dry-run']) return true
        // from here on volumes are missing: an interrupt has to wait
        await putBack(client, snapshot, Object.values(images)[0]?.id)
        screen.say(`Volumes put back: ${list(volumes.map(each => each.volume)) || 'none'}`)
        return true
      },
    })
    return isDone ? 0 : 1
  },
})
