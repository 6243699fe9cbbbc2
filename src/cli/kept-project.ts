/** A stack as an apply or a snapshot has kept it, with the images that it had. */
import { endpoints } from '../api/endpoints.ts'
import type { Client } from '../client/client.ts'
import { changedSince, pinned } from '../history/back.ts'
import type { Entry } from '../history/entry.ts'
import { variableHashes } from '../history/recorder.ts'
import { isFailure } from '../lib/failure.ts'
import { list, printable } from '../lib/text.ts'
import { type FrozenProject, thaw } from '../model/frozen.ts'
import type { Project } from '../model/project.ts'
import { hashFiles } from '../targets/engine/observe.ts'
import type { Call } from './command.ts'

export interface Kept extends Pick<Entry, 'images' | 'files' | 'variables'> {
  readonly model: FrozenProject
  /** "3", "snapshot before-upgrade": what cannot be gone back to when an image is gone. */
  readonly what: string
}

/** Says what is not as it was then, and is taken as it is now. @throws Failure `not-found` naming images that are gone. */
export async function keptProject(
  { env, signal, screen }: Pick<Call, 'env' | 'signal' | 'screen'>,
  client: Client,
  kept: Kept,
): Promise<Project> {
  const { images, what, model } = kept
  const ids = [...new Set(Object.values(images).map(image => image.id))]
  const [now, here] = await Promise.all([idsOf(client, Object.keys(images), signal), idsOf(client, ids, signal)])
  const project = pinned(thaw(model, env), { what, images, now, here: new Set(here.values()) })
  const changed = changedSince(kept, {
    files: await hashFiles(Object.keys(kept.files)),
    variables: variableHashes(project),
  })
  if (changed.length > 0) screen.warn(`not as then, and taken as now: ${printable(list(changed))}`)
  return project
}

/** Those that are there. */
async function idsOf(
  client: Client,
  names: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const found = await Promise.all(
    names.map(async name => {
      try {
        return [name, (await client.call(endpoints.imageInspect, { params: { name } }, { signal })).Id] as const
      } catch (error) {
        if (isFailure(error, 'not-found')) return undefined
        throw error
      }
    }),
  )
  return new Map(found.filter(each => each !== undefined))
}
