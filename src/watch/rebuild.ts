/** Builds the images of services anew because a watched file has changed, and has their containers made of them. */
import { imageEndpoints } from '../api/images.ts'
import type { Client } from '../client/client.ts'
import { isFailure } from '../lib/failure.ts'
import type { Project } from '../model/project.ts'
import { look } from '../targets/engine/converge.ts'
import type { EnginePlan } from '../targets/engine/engine-plan.ts'
import { buildsOf } from '../targets/engine/perform/builds.ts'
import { imageName } from '../targets/engine/plan/names.ts'

export interface Rebuild {
  readonly client: Client
  readonly project: Project
  readonly signal: AbortSignal
  /** Remove the images that were replaced. */
  readonly prune: boolean
  carryOut(plan: EnginePlan): Promise<void>
  /** Makes containers of the new images. */
  recreate(): Promise<void>
}

/** The images of these alone, not of what they depend on. @throws PlanFailure when a build fails */
export async function rebuild(services: readonly string[], work: Rebuild): Promise<void> {
  const { client, project, signal, prune } = work
  const before = await look({ client, project, signal })
  await work.carryOut(
    await buildsOf(project, before, { services, when: 'always', cause: 'a watched file has changed' }),
  )
  await work.recreate()
  if (!prune) return
  const now = await look({ client, project, signal })
  for (const name of services) {
    const image = imageName(project, project.services[name]!)!
    const old = before.images.get(image)?.id
    if (old !== undefined && old !== now.images.get(image)?.id) await removeUnused(client, old)
  }
}

/** Unless it has another name, or somebody else uses it. */
async function removeUnused(client: Client, id: string): Promise<void> {
  try {
    const { RepoTags: tags } = await client.call(imageEndpoints.imageInspect, { params: { name: id } })
    if ((tags ?? []).length === 0) await client.call(imageEndpoints.imageRemove, { params: { name: id } })
  } catch (error) {
    if (!isFailure(error, 'conflict') && !isFailure(error, 'not-found')) throw error
  }
}
