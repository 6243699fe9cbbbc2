/**
 * Asks a cluster what is there of a stack, one list a kind, and what it would make of what differs: a dry run of the same write. With a wish, all of the
 * namespace is listed, since a name that the stack wants may be somebody else's.
 */
import PQueue from 'p-queue'
import { isFailure } from '../../lib/failure.ts'
import type { Project } from '../../model/project.ts'
import { digestIn } from '../built-images.ts'
import type { Wish } from '../target.ts'
import { compile } from './compile.ts'
import { type Home, labels } from './labels.ts'
import { imagesIn, type Listed, type Live, type LivePod } from './live.ts'
import { type Kind, keyOf, kindNames } from './manifest.ts'
import { objectName } from './names.ts'
import type { Wanted } from './objects/given-input.ts'
import type { ObservedCluster, Verdict } from './observed.ts'
import { Rehearsal, type Rehearsed } from './plan/rehearsal.ts'
import { answered, foreign, needsAnswer, refusedBy, withoutScaled } from './plan/verdicts.ts'
import type { Cluster } from './rest/cluster.ts'
import { applyObject, listOf } from './rest/objects.ts'
import { statusIn } from './rest/status.ts'

export interface ObserveOptions {
  readonly project?: Project | undefined
  readonly wish?: Wish | undefined
  /** Otherwise each. */
  readonly rehearsed?: Rehearsed | undefined
  readonly signal: AbortSignal
}

/** Dry runs at a time. */
const atOnce = 16
/** Of the contents of these our names have a hash, and they are immutable; what those of others hold is not read. */
const unread: ReadonlySet<Kind> = new Set(['ConfigMap', 'Secret'])

/** @throws Failure when the cluster cannot be asked */
export async function observe(cluster: Cluster, name: string, options: ObserveOptions): Promise<ObservedCluster> {
  const { project, wish = {}, signal } = options
  const { namespace } = cluster.access
  const home: Home = { project: name, namespace }
  const stack = objectName(name)
  const labelSelector = project ? undefined : `${labels.stack}=${stack}`
  const others = new Map<string, Live>()
  const list = async (kind: Kind): Promise<Listed<Live>> => {
    const isHead = project !== undefined && unread.has(kind)
    const found = await listOf<Live>(cluster, kind, { namespace, labelSelector, isHead, signal })
    // a list's items do not say what they are
    const all = found.items.map(object => ({ ...object, kind, ...(isHead && { hasContent: false as const }) }))
    const isOurs = ({ metadata }: Live) => metadata.labels?.[labels.stack] === stack
    for (const object of all) if (!isOurs(object)) others.set(keyOf(object), object)
    return { items: all.filter(isOurs), version: found.metadata.resourceVersion }
  }
  const pods = async (): Promise<Listed<LivePod>> => {
    const { items, metadata } = await listOf<LivePod>(cluster, 'Pod', { namespace, labelSelector, signal })
    return { items, version: metadata.resourceVersion }
  }
  const [ofPods, ...lists] = await Promise.all([project ? undefined : pods(), ...kindNames.map(list)])
  const objects = new Map(lists.flatMap(({ items }) => items.map(object => [keyOf(object), object] as const)))
  const listed = new Map<Kind | 'Pod', Listed>(kindNames.map((kind, i) => [kind, lists[i]!]))
  if (ofPods) listed.set('Pod', ofPods)
  const seen = { home, objects, listed, pods: ofPods?.items ?? [] }
  if (!project) return seen
  const digests = digestsOf(project, objects, wish)
  const compiled = compile(project, home, wish, digests)
  const wanted = compiled.wanted.map(each => withoutScaled(each, objects.get(keyOf(each.manifest))))
  const verdicts = await verdictsOf(cluster, wanted, { ...options, objects, others })
  return { ...seen, asked: { ...compiled, wanted, verdicts, digests } }
}

interface Known extends ObserveOptions {
  readonly objects: ReadonlyMap<string, Live>
  /** Those that are not of the stack. */
  readonly others: ReadonlyMap<string, Live>
}

/** By key. Where the first is refused since there is no namespace, the others are not asked for. */
async function verdictsOf(
  cluster: Cluster,
  [parent, ...rest]: readonly Wanted[],
  { objects, others, rehearsed = 'each', signal }: Known,
): Promise<ReadonlyMap<string, Verdict>> {
  const verdicts = new Map<string, Verdict>()
  const rehearsal = new Rehearsal(rehearsed)
  const queue = new PQueue({ concurrency: atOnce })
  const ask = async ({ manifest }: Wanted): Promise<Verdict> => {
    const key = keyOf(manifest)
    const [live, other] = [objects.get(key), others.get(key)]
    const verdict = other
      ? foreign(manifest, other)
      : needsAnswer(manifest, live)
        ? await rehearsal.verdictOf(manifest, live, () => queue.add(() => dryRun(cluster, { manifest, live, signal })))
        : ({ kind: 'same' } as const)
    verdicts.set(key, verdict)
    return verdict
  }
  const first = parent && (await ask(parent))
  if (first?.kind === 'refused' && first.refusal.code === 'missing-namespace') return verdicts
  await Promise.all(rest.map(ask))
  return verdicts
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

interface Asking {
  readonly manifest: Wanted['manifest']
  readonly live: Live | undefined
  readonly signal: AbortSignal
}

async function dryRun(cluster: Cluster, { manifest, live, signal }: Asking): Promise<Verdict> {
  try {
    const { body, status } = await applyObject(cluster, manifest, { dryRun: true, force: live !== undefined, signal })
    return answered(manifest, { live, answer: body, isNew: status === 201 })
  } catch (error) {
    const status = statusIn(error)
    if (!isFailure(error) || status === undefined || status.code === 401 || status.code >= 500) throw error
    return refusedBy(manifest, { live, status })
  }
}
