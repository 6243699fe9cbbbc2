/** Workloads and pods of a stack as they change, by one watch a kind, for all who wait for them; it goes on from what was listed before. */
import { setTimeout as pause } from 'node:timers/promises'
import { isFailure } from '../../../lib/failure.ts'
import { labels as own } from '../labels.ts'
import type { Listed, Live, LivePod } from '../live.ts'
import { type Kind, keyOf } from '../manifest.ts'
import type { Cluster } from '../rest/cluster.ts'
import { listOf, pathOf, watchObjects } from '../rest/objects.ts'

const serviceLabel = own.service
/** Milliseconds before a watch that has ended begins again. */
const between = 500

export class Watched {
  readonly #cluster: Cluster
  readonly #labelSelector: string
  readonly #ended = new AbortController()
  readonly #objects = new Map<string, Live>()
  /** By the service's label, then by name: each who waits looks at those of one service after every change. */
  readonly #pods = new Map<string, Map<string, LivePod>>()
  readonly #started = new Map<Kind | 'Pod', Promise<void>>()
  readonly #running: Promise<void>[] = []
  readonly #listeners = new Set<() => void>()
  readonly #listed: ReadonlyMap<Kind | 'Pod', Listed>
  #failure: unknown

  constructor(cluster: Cluster, labelSelector: string, listed: ReadonlyMap<Kind | 'Pod', Listed> = new Map()) {
    this.#cluster = cluster
    this.#labelSelector = labelSelector
    this.#listed = listed
  }

  object(kind: Kind, name: string): Live | undefined {
    return this.#objects.get(`${kind} ${name}`)
  }

  podsBy(labels: Readonly<Record<string, string>>): readonly LivePod[] {
    const all = Object.entries(labels)
    const service = labels[serviceLabel]
    const pods =
      service === undefined
        ? [...this.#pods.values()].flatMap(each => [...each.values()])
        : [...(this.#pods.get(service)?.values() ?? [])]
    return pods.filter(({ metadata }) => all.every(([key, value]) => metadata.labels?.[key] === value))
  }

  /** Resolves when `look` gives something; it is asked again after each change. @throws the signal's reason; Failure when the cluster is gone */
  async until<T>(kinds: readonly (Kind | 'Pod')[], look: () => T | undefined, signal: AbortSignal): Promise<T> {
    await Promise.all(kinds.map(kind => this.#start(kind)))
    for (;;) {
      signal.throwIfAborted()
      if (this.#failure !== undefined) throw this.#failure
      const found = look()
      if (found !== undefined) return found
      await this.#change(signal)
    }
  }

  async close(): Promise<void> {
    this.#ended.abort()
    await Promise.allSettled(this.#running)
  }

  #change(signal: AbortSignal): Promise<void> {
    return new Promise(done => {
      const end = () => {
        this.#listeners.delete(end)
        signal.removeEventListener('abort', end)
        done()
      }
      this.#listeners.add(end)
      signal.addEventListener('abort', end, { once: true })
    })
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }

  /** Resolves once all that are there are known. */
  #start(kind: Kind | 'Pod'): Promise<void> {
    const known = this.#started.get(kind)
    if (known) return known
    const listed = this.#listed.get(kind)
    const first = listed ? Promise.resolve(this.#take(kind, listed)) : this.#list(kind)
    const started = first.then(version => {
      this.#running.push(this.#follow(kind, version))
    })
    this.#started.set(kind, started)
    return started
  }

  async #list(kind: Kind | 'Pod'): Promise<string | undefined> {
    const { namespace } = this.#cluster.access
    const { items, metadata } = await listOf<Live>(this.#cluster, kind, {
      namespace,
      labelSelector: this.#labelSelector,
      signal: this.#ended.signal,
    })
    return this.#take(kind, { items, version: metadata.resourceVersion })
  }

  #take(kind: Kind | 'Pod', { items, version }: Listed): string | undefined {
    if (kind === 'Pod') {
      this.#pods.clear()
      for (const pod of items as readonly LivePod[]) this.#keep(pod)
    } else {
      for (const key of this.#objects.keys()) if (key.startsWith(`${kind} `)) this.#objects.delete(key)
      for (const item of items as readonly Live[]) this.#objects.set(`${kind} ${item.metadata.name}`, { ...item, kind })
    }
    this.#tell()
    return version
  }

  async #follow(kind: Kind | 'Pod', from: string | undefined): Promise<void> {
    const { signal } = this.#ended
    const path = pathOf(kind, this.#cluster.access.namespace)
    let resourceVersion = from
    while (!signal.aborted)
      try {
        const events = watchObjects<Live>(this.#cluster, path, {
          labelSelector: this.#labelSelector,
          resourceVersion,
          signal,
        })
        for await (const { type, object } of events) {
          // too old: what has happened since is not known any more
          if (type === 'ERROR') break
          this.#hear(kind, type, object)
          resourceVersion = object.metadata.resourceVersion ?? resourceVersion
        }
        if (signal.aborted) return
        await pause(between, undefined, { signal })
        resourceVersion = await this.#list(kind)
      } catch (error) {
        if (signal.aborted) return
        if (isFailure(error, 'cancelled')) return
        this.#failure = error
        this.#tell()
        return
      }
  }

  #hear(kind: Kind | 'Pod', type: string, object: Live): void {
    const { name } = object.metadata
    if (kind === 'Pod') {
      const pod = object as unknown as LivePod
      if (type === 'DELETED') this.#pods.get(ofService(pod))?.delete(name)
      else this.#keep(pod)
    } else {
      const live = { ...object, kind }
      if (type === 'DELETED') this.#objects.delete(keyOf(live))
      else this.#objects.set(keyOf(live), live)
    }
    this.#tell()
  }

  #keep(pod: LivePod): void {
    const service = ofService(pod)
    const known = this.#pods.get(service) ?? new Map<string, LivePod>()
    this.#pods.set(service, known.set(pod.metadata.name, pod))
  }
}

function ofService({ metadata }: LivePod): string {
  return metadata.labels?.[serviceLabel] ?? ''
}
