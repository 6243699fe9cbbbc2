/** A node on paper, for a control plane that has none: it says of pods that they run, runs nothing, and lets them go when they are to. */
import { setInterval } from 'node:timers'
import { isFailure } from '../../../src/lib/failure.ts'
import type { LivePod } from '../../../src/targets/kubernetes/live.ts'
import type { Cluster } from '../../../src/targets/kubernetes/rest/cluster.ts'
import { type List, watchObjects } from '../../../src/targets/kubernetes/rest/objects.ts'

const merge = 'application/merge-patch+json'
/** Milliseconds; a node that says nothing for 40 seconds is taken for dead. */
const heartbeat = 10_000

type Pod = LivePod & { readonly spec?: { readonly restartPolicy?: string } }

export class PaperNode {
  readonly name = 'paper-node'
  readonly #cluster: Cluster
  readonly #ended = new AbortController()
  readonly #running: Promise<unknown>[] = []
  readonly #timer: NodeJS.Timeout
  /** Whether the pods of a service become ready. */
  isReady: (pod: LivePod) => boolean = () => true

  constructor(cluster: Cluster) {
    this.#cluster = cluster
    this.#timer = setInterval(() => void this.#beat().catch(() => undefined), heartbeat)
  }

  /** Undefined where there are nodes that run something. */
  static async where(cluster: Cluster): Promise<PaperNode | undefined> {
    const { body } = await cluster.call<List<{ readonly metadata: { readonly name: string } }>>('GET', '/api/v1/nodes')
    if (body.items.some(({ metadata }) => metadata.name !== 'paper-node')) return undefined
    const node = new PaperNode(cluster)
    await node.#register()
    return node
  }

  async #register(): Promise<void> {
    const labels = { 'kubernetes.io/os': 'linux', 'kubernetes.io/hostname': this.name }
    try {
      await this.#cluster.call('POST', '/api/v1/nodes', {
        body: { apiVersion: 'v1', kind: 'Node', metadata: { name: this.name, labels } },
      })
    } catch (error) {
      if (!isFailure(error, 'conflict')) throw error
    }
    await this.#beat()
    this.#running.push(this.#follow())
  }

  async #beat(): Promise<void> {
    const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z')
    const amounts = { cpu: '1000', memory: '1000Gi', pods: '1000' }
    const ready = {
      type: 'Ready',
      status: 'True',
      reason: 'Paper',
      message: '',
      lastHeartbeatTime: now,
      lastTransitionTime: now,
    }
    const status = { capacity: amounts, allocatable: amounts, conditions: [ready] }
    await this.#cluster.call('PATCH', `/api/v1/nodes/${this.name}/status`, { body: { status }, contentType: merge })
  }

  async #follow(): Promise<void> {
    const { signal } = this.#ended
    const busy = new Set<Promise<void>>()
    while (!signal.aborted)
      try {
        for await (const { type, object } of watchObjects<Pod>(this.#cluster, '/api/v1/pods', {
          fieldSelector: `spec.nodeName=${this.name}`,
          signal,
        })) {
          if (type === 'DELETED' || type === 'ERROR') continue
          const work = this.#take(object).catch(error => {
            if (!isFailure(error)) throw error
          })
          busy.add(work)
          void work.finally(() => busy.delete(work))
        }
      } catch (error) {
        if (!signal.aborted && !isFailure(error)) throw error
      }
    await Promise.allSettled(busy)
  }

  async #take(pod: Pod): Promise<void> {
    const { name, namespace, deletionTimestamp } = pod.metadata
    const path = `/api/v1/namespaces/${namespace}/pods/${name}`
    if (deletionTimestamp !== undefined) {
      await this.#cluster.call('DELETE', path, {
        body: { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0 },
      })
      return
    }
    if (pod.status?.phase !== 'Pending') return
    const isJob = pod.spec?.restartPolicy !== 'Always'
    const ready = this.isReady(pod)
    const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z')
    const state = isJob
      ? { terminated: { exitCode: 0, reason: 'Completed', startedAt: now, finishedAt: now } }
      : ready
        ? { running: { startedAt: now } }
        : { waiting: { reason: 'ImagePullBackOff', message: 'there is no such image' } }
    const containers = pod.spec?.containers ?? []
    const status = {
      phase: isJob ? 'Succeeded' : ready ? 'Running' : 'Pending',
      startTime: now,
      conditions: ['Ready', 'ContainersReady', 'Initialized', 'PodScheduled'].map(type => ({
        type,
        status: ready || type === 'PodScheduled' ? 'True' : 'False',
        lastTransitionTime: now,
      })),
      containerStatuses: containers.map(({ name: container, image }) => ({
        name: container,
        image,
        imageID: '',
        ready: ready && !isJob,
        restartCount: 0,
        started: ready,
        state,
      })),
    }
    if (!ready && pod.status?.containerStatuses) return
    await this.#cluster.call('PATCH', `${path}/status`, { body: { status }, contentType: merge })
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#ended.abort()
    await Promise.allSettled(this.#running)
    await this.#cluster.call('DELETE', `/api/v1/nodes/${this.name}`)
  }
}
