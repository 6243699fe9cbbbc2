/** What putting a snapshot's volumes back takes: their users and they themselves go, and the copies take their place. */

import { endpoints } from '../api/endpoints.ts'
import { listedName } from '../api/listed-name.ts'
import type { Client } from '../client/client.ts'
import { Failure } from '../lib/failure.ts'
import { list } from '../lib/text.ts'
import { EnginePlan } from '../targets/engine/engine-plan.ts'
import { labels } from '../targets/engine/labels.ts'
import type { Observed } from '../targets/engine/observed.ts'
import { planRemoval } from '../targets/engine/plan/ending.ts'
import { cloneVolume } from './clone-volume.ts'
import type { Snapshot } from './snapshots.ts'

/** @throws Failure `not-found` when a copy is gone, `conflict` when another project has one of the volumes mounted. */
export async function planRestore(
  client: Client,
  {
    project,
    snapshot,
    observed,
  }: { readonly project: string; readonly snapshot: Snapshot; readonly observed: Observed },
): Promise<EnginePlan> {
  const gone = snapshot.volumes.filter(({ copy }) => !observed.volumes.has(copy))
  if (gone.length > 0)
    throw new Failure(
      'not-found',
      `Cannot restore "${snapshot.name}": ${list(gone.map(({ copy }) => `volume "${copy}"`))} of it is gone`,
    )
  const names = new Set(snapshot.volumes.map(({ volume }) => volume))
  await checkUsers(client, project, names)
  const plan = new EnginePlan()
  const cause = `snapshot ${snapshot.name} is put back`
  const removed = observed.containers
    .filter(container => container.volumes.some(({ name }) => names.has(name)))
    .map(container => planRemoval(plan, container, { cause, service: undefined, timeout: undefined }))
  for (const name of names) if (observed.volumes.has(name)) plan.add({ kind: 'remove-volume', cause, name }, removed)
  return plan
}

async function checkUsers(client: Client, project: string, names: ReadonlySet<string>): Promise<void> {
  if (names.size === 0) return
  const users = await client.call(endpoints.containerList, { query: { all: true, filters: { volume: [...names] } } })
  const others = users.filter(({ Labels }) => Labels?.[labels.project] !== project)
  if (others.length > 0)
    throw new Failure(
      'conflict',
      `Cannot put volumes of project "${project}" back: ${list(others.map(listedName))} of others has them mounted`,
      { hint: 'Remove those containers first' },
    )
}

/** Once the plan has been carried out. */
export async function putBack(client: Client, snapshot: Snapshot, image: string | undefined): Promise<void> {
  for (const { volume, labels: own, copy } of snapshot.volumes)
    await cloneVolume(client, { from: copy, to: volume, labels: own, image })
}
