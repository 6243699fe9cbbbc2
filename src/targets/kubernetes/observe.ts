/** Asks a cluster what is there of a stack, one list a kind, and of what differs what it would make of it: a dry run of the same write. */
import PQueue from 'p-queue'
import { isFailure } from '../../lib/failure.ts'
import type { Project } from '../../model/project.ts'
import { digestIn } from '../built-images.ts'
import type { Wish } from '../target.ts'
import { compile } from './compile.ts'
import { type Home, labels } from './labels.ts'
import { imagesIn, type Live, type LivePod } from './live.ts'
import { type Kind, keyOf, kindNames } from './manifest.ts'
import { objectName } from './names.ts'
import type { Wanted } from './objects/given-input.ts'
import type { ObservedCluster, Verdict } from './observed.ts'
import { LostFields } from './plan/lost-fields.ts'
import { answered, needsAnswer, refusedBy, withoutScaled } from './plan/verdicts.ts'
import type { Cluster } from './rest/cluster.ts'
import { applyObject, listOf } from './rest/objects.ts'
import { statusIn } from './rest/status.ts'

export interface ObserveOptions {
  readonly project?: Project | undefined
  readonly wish?: Wish | undefined
  readonly signal: AbortSignal
}

/** Dry runs at a time. */
const atOnce = 16

/** @throws Failure when the cluster cannot be asked */
export async function observe(
  cluster: Cluster,
  name: string,
  { project, wish = {}, signal }: ObserveOptions,
): Promise<ObservedCluster> {
  const { namespace } = cluster.access
  const home: Home = { project: name, namespace }
  const labelSelector = `${labels.stack}=${objectName(name)}`
  const list = async <T>(kind: Kind | 'Pod') =>
    (await listOf<T>(cluster, kind, { namespace, labelSelector, signal })).items
  const [pods, ...lists] = await Promise.all([
    project ? [] : list<LivePod>('Pod'),
    // a list's items do not say what they are
    ...kindNames.map(async kind => (await list<Live>(kind)).map(object => ({ ...object, kind }))),
  ])
  const objects = new Map(lists.flat().map(object => [keyOf(object), object]))
  if (!project) return { home, objects, pods }
  const digests = digestsOf(project, objects, wish)
  const compiled = compile(project, home, wish, digests)
  const verdicts = new Map<string, Verdict>()
  const lost = new LostFields()
  const queue = new PQueue({ concurrency: atOnce })
  const asked = compiled.wanted.map(each => withoutScaled(each, objects.get(keyOf(each.manifest))))
  await Promise.all(
    asked.map(async wanted => {
      const key = keyOf(wanted.manifest)
      const live = objects.get(key)
      const ask = () => queue.add(() => dryRun(cluster, wanted, live, signal))
      const known = needsAnswer(wanted.manifest, live) ? undefined : ({ kind: 'same' } as const)
      verdicts.set(key, known ?? (await lost.verdictOf(wanted.manifest, live, ask)))
    }),
  )
  return { home, objects, pods, asked: { ...compiled, wanted: asked, verdicts, digests } }
}

/** Of images that are pinned: what is known now, otherwise what pods are made of. */
function digestsOf(
  project: Project,
  objects: ReadonlyMap<string, Live>,
  { digests: told = new Map() }: Wish,
): ReadonlyMap<string, string> {
  const digests = new Map<string, string>(told)
  const running = [...objects.values()].flatMap(imagesIn)
  for (const { image, build } of Object.values(project.services)) {
    if (image === undefined || build === undefined || digests.has(image)) continue
    const digest = running.map(each => digestIn(each, image)).find(each => each !== undefined)
    if (digest !== undefined) digests.set(image, digest)
  }
  return digests
}

async function dryRun(cluster: Cluster, wanted: Wanted, live: Live | undefined, signal: AbortSignal): Promise<Verdict> {
  try {
    const { body, status } = await applyObject(cluster, wanted.manifest, {
      dryRun: true,
      force: live !== undefined,
      signal,
    })
    return answered(wanted.manifest, { live, answer: body, isNew: status === 201 })
  } catch (error) {
    const status = statusIn(error)
    if (!isFailure(error) || status === undefined || status.code === 401 || status.code >= 500) throw error
    return refusedBy(wanted.manifest, { live, status })
  }
}
