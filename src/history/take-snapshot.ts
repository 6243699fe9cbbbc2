/** Takes a snapshot of a project: its volumes copied while nothing writes to them, with the model and the images that run. */
import { endpoints } from '../api/endpoints.ts'
import type { Client } from '../client/client.ts'
import { Failure, isFailure } from '../lib/failure.ts'
import { freeze } from '../model/frozen.ts'
import type { Project } from '../model/project.ts'
import { labels } from '../targets/engine/labels.ts'
import type { Observed, ObservedContainer, ObservedVolume } from '../targets/engine/observed.ts'
import { cloneVolume } from './clone-volume.ts'
import { type Entry, outcomeOf } from './entry.ts'
import { keptImages, variableHashes } from './recorder.ts'
import { checkSnapshotName, type NewSnapshot, type Snapshots, type SnapshotVolume } from './snapshots.ts'

/** What becomes of the containers that have a volume mounted, while it is copied. */
export const meanwhiles = ['paused', 'stopped', 'running'] as const
export type Meanwhile = (typeof meanwhiles)[number]

export const snapshotLabels = { project: 'tscompose.snapshot.project', name: 'tscompose.snapshot' } as const

export interface Taking {
  readonly client: Client
  readonly snapshots: Snapshots
  readonly project: Project
  readonly observed: Observed
  /** The applies of the project, the newest last: what runs came of one of them. */
  readonly entries: readonly Entry[]
  readonly name: string
  readonly cause: string
  readonly user: string
  readonly meanwhile: Meanwhile
  readonly tell: (text: string) => void
  readonly signal?: AbortSignal | undefined
  readonly now?: () => number
}

/** @throws Failure; then nothing of the snapshot is left, and what was paused or stopped runs again. */
export async function takeSnapshot(taking: Taking): Promise<NewSnapshot> {
  const { client, snapshots, project, observed, name, cause, user, tell, signal, meanwhile, now = Date.now } = taking
  checkSnapshotName(name)
  if (snapshots.has(name)) throw new Failure('conflict', `Project "${project.name}" has a snapshot "${name}" already`)
  const { ours, leftOut } = volumesOf(project.name, observed)
  for (const [volume, why] of leftOut) tell(`Volume ${volume} is left out: ${why}`)
  const volumes = ours.map(volume => ({
    volume: volume.name,
    labels: volume.labels,
    copy: `${project.name}_snapshot-${name}_${volume.name}`.slice(0, 255),
  }))
  const users = observed.containers.filter(container =>
    container.volumes.some(mounted => ours.some(volume => volume.name === mounted.name)),
  )
  const snapshot: NewSnapshot = {
    name,
    created: new Date(now()).toISOString(),
    user,
    cause,
    volumes,
    ...modelOf(taking),
  }
  const done: SnapshotVolume[] = []
  const running = users.filter(({ state }) => state === 'running')
  const held = meanwhile === 'running' ? [] : running
  snapshots.standing.begin({
    snapshot: name,
    how: meanwhile === 'stopped' ? 'stopped' : 'paused',
    containers: held.map(({ id }) => id),
    volumes: volumes.map(({ volume }) => volume),
    copies: volumes.map(({ copy }) => copy),
  })
  try {
    await during(taking, held, async () => {
      for (const each of volumes) {
        await cloneVolume(client, {
          from: each.volume,
          to: each.copy,
          labels: { [snapshotLabels.project]: project.name, [snapshotLabels.name]: name },
          signal,
          image: users[0]?.imageId ?? [...observed.images.values()][0]?.id,
        })
        done.push(each)
      }
    })
    snapshots.add(snapshot)
  } catch (error) {
    for (const { copy } of done)
      await client.call(endpoints.volumeRemove, { params: { name: copy }, query: { force: true } })
    // where they could not be let go on, whoever comes next tries again
    if (!(error instanceof StandsStill)) snapshots.standing.end()
    throw error
  }
  snapshots.standing.end()
  return snapshot
}

/** What runs is what the last apply that was carried out made of it; without a history what the files say. */
function modelOf({
  entries,
  project,
  observed,
}: Taking): Omit<NewSnapshot, 'name' | 'created' | 'user' | 'cause' | 'volumes'> {
  const last = entries.findLast(entry => entry.model !== undefined && outcomeOf(entry) === 'done')
  if (last) {
    const { model, images, files, variables, scale, services } = last
    return { model, images, files, variables, ...(scale && { scale }), ...(services && { services }) }
  }
  return {
    model: freeze(project, { withoutVariables: true }),
    images: keptImages(project, observed),
    files: Object.fromEntries(observed.files),
    variables: variableHashes(project),
  }
}

function volumesOf(project: string, { volumes }: Observed) {
  const all = [...volumes.values()].filter(volume => volume.labels[labels.project] === project)
  const why = (volume: ObservedVolume): string | undefined =>
    Object.keys(volume.shape?.Options ?? {}).length > 0 ? 'its data is where its driver_opts say' : undefined
  return {
    ours: all.filter(volume => why(volume) === undefined).sort((a, b) => (a.name < b.name ? -1 : 1)),
    leftOut: all.flatMap(volume => {
      const reason = why(volume)
      return reason === undefined ? [] : [[volume.name, reason] as const]
    }),
  }
}

class StandsStill extends Failure {}

/** What ran before runs afterwards, whatever happens in between. */
async function during(
  { client, meanwhile, tell }: Taking,
  running: readonly ObservedContainer[],
  work: () => Promise<void>,
): Promise<void> {
  if (running.length === 0) return await work()
  const names = running.map(({ name }) => name).join(', ')
  tell(`${meanwhile === 'paused' ? 'Pausing' : 'Stopping'} ${names} while volumes are copied`)
  const held: string[] = []
  try {
    for (const { id } of running) {
      await client.call(meanwhile === 'paused' ? endpoints.containerPause : endpoints.containerStop, { params: { id } })
      held.push(id)
    }
    await work()
  } finally {
    const failures: unknown[] = []
    for (const id of held.toReversed())
      try {
        await client.call(meanwhile === 'paused' ? endpoints.containerUnpause : endpoints.containerStart, {
          params: { id },
        })
      } catch (error) {
        // removed meanwhile: nobody waits for it
        if (!isFailure(error, 'not-found')) failures.push(error)
      }
    if (failures.length > 0)
      // biome-ignore lint/correctness/noUnsafeFinally: that a service stands still is worse than what came before
      throw new StandsStill('internal', `Cannot let ${names} go on after the snapshot`, { cause: failures[0] })
  }
}
