/** Images that a stack builds, on their way to the registry that its target pulls from. */
import { imageEndpoints } from '../../api/images.ts'
import type { Client } from '../../client/client.ts'
import { serviceGraph } from '../../graph/services.ts'
import { isFailure } from '../../lib/failure.ts'
import { printable } from '../../lib/text.ts'
import type { Project } from '../../model/project.ts'
import type { EnginePlan } from '../../targets/engine/engine-plan.ts'
import { nothingMissing } from '../../targets/engine/observed.ts'
import { buildsOf } from '../../targets/engine/perform/builds.ts'
import { imagesOf } from '../../targets/engine/plan/images.ts'
import type { Kept, Wish } from '../../targets/target.ts'
import { applyPlan } from '../apply-plan.ts'
import type { Call } from '../command.ts'
import { pushImages } from '../push-images.ts'

export interface Pushed {
  readonly project: Project
  readonly wish: Wish
  /** What the target has, or its registry. */
  readonly kept: Kept
}

/** Services whose image is to be built and pushed: all that build one with --push, otherwise, of a stack with `x-registry`, those not known there. */
export function toPush(call: Call, { project, wish, kept }: Pushed): readonly string[] {
  const names = wish.services ? [...serviceGraph(project).closure(wish.services)] : Object.keys(project.services)
  const always = call.options['push'] === true
  if (!always && project.registry === undefined) return []
  return names.filter(name => {
    const { build, image } = project.services[name]!
    if (!build || image === undefined) return false
    return always || kept.images.get(image)?.digest === undefined
  })
}

/** What would be built, without an engine to ask. @throws ProblemsFailure */
export function buildsOn(call: Call, project: Project, services: readonly string[]): Promise<EnginePlan> {
  const cause = call.options['push'] === true ? 'asked for by --push' : 'no registry has it'
  return buildsOf(project, nothingMissing(imagesOf(project)), { services, when: 'always', cause })
}

/** Image → digest, of what the registry has then; nothing of a dry run. */
export async function pushBuilt(
  call: Call,
  project: Project,
  services: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const always = call.options['push'] === true
  const client = await call.connect()
  const images = new Map(services.map(name => [name, project.services[name]!.image!]))
  const digests = always ? new Map<string, string>() : await known(call, client, [...new Set(images.values())])
  const due = services.filter(name => !digests.has(images.get(name)!))
  if (due.length === 0) return digests
  const plan = await buildsOn(call, project, due)
  await applyPlan(call, { plan, client, nothing: '' })
  // what is built from another of them is pushed alone
  const wanted = [...new Set(due.flatMap(name => [images.get(name)!, ...project.services[name]!.build!.tags]))]
  if (call.globals['dry-run']) {
    for (const tag of wanted) call.screen.say(` ${printable(tag)} Would be pushed`)
    return digests
  }
  const pushed = await pushImages(call, wanted, {
    client,
    quiet: call.globals.progress === 'quiet',
    ignoreFailures: false,
  })
  return new Map([...digests, ...pushed])
}

/** Those that the registry has; one that does not answer will say so to the push. */
async function known(call: Call, client: Client, images: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const { registryAuth } = await import('../../client/registry-auth.ts')
  const found = await Promise.all(
    images.map(async name => {
      try {
        const headers = { registryAuth: await registryAuth(name, call.env) }
        const input = { params: { name }, headers }
        const { Descriptor } = await client.call(imageEndpoints.distributionInspect, input, { signal: call.signal })
        return [[name, Descriptor.digest] as const]
      } catch (error) {
        if (!isFailure(error) || call.signal.aborted) throw error
        return []
      }
    }),
  )
  return new Map(found.flat())
}
