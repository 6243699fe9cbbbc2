/**
 * What an engine's events make suspect in a project: a container that somebody killed, removed, paused, took from a network or
 * whose limits were edited, an image that another has the name of. What was stopped by request stays stopped, as with
 * `restart: unless-stopped`, and what ended by itself has ended. Pure.
 */
import type { EventMessage } from '../api/events.ts'
import type { Project } from '../model/project.ts'
import { labels } from '../targets/engine/labels.ts'
import type { ObservedContainer } from '../targets/engine/observed.ts'
import { imageName } from '../targets/engine/plan/names.ts'

export type Suspicion =
  | {
      readonly kind: 'killed' | 'removed' | 'paused' | 'edited'
      readonly id: string
      readonly name: string
      readonly service: string
    }
  | { readonly kind: 'disconnected'; readonly id: string; readonly network: string }
  | { readonly kind: 'image'; readonly image: string; readonly services: readonly string[] }

/** What is to be repaired, and why, in a sentence. */
export interface Finding {
  readonly kind: Suspicion['kind']
  readonly services: readonly string[]
  readonly cause: string
}

/** A kill that does not end a container within so many seconds has not ended it. */
const patience = 60

export class Suspicions {
  /** By container and kind, or by image. */
  readonly #open = new Map<string, Suspicion>()
  /** Stopped by request, and not started since. */
  readonly #stopped = new Set<string>()
  /** When a signal was sent, in seconds. */
  readonly #signalled = new Map<string, number>()
  readonly #outOfMemory = new Set<string>()

  /** Whether there is anything to look at. */
  get any(): boolean {
    return this.#open.size > 0
  }

  /** Whether something of it is sure: only an end may still be told to be a stop. */
  get sure(): boolean {
    return [...this.#open.values()].some(({ kind }) => kind !== 'killed')
  }

  isStopped(id: string): boolean {
    return this.#stopped.has(id)
  }

  hear(event: EventMessage, project: Project): void {
    if (event.Type === 'container') this.#hearContainer(event)
    else if (event.Type === 'network') this.#hearNetwork(event, project)
    else if (event.Type === 'image') this.#hearImage(event, project)
  }

  /** What of it holds when one looks: each once. */
  confirm(containers: readonly ObservedContainer[]): readonly Finding[] {
    const byId = new Map(containers.map(each => [each.id, each]))
    const open = [...this.#open.values()]
    this.#open.clear()
    return open.flatMap(each => findingOf(each, byId) ?? [])
  }

  #hearContainer({ Action, Actor, time }: EventMessage): void {
    const { ID: id, Attributes: own } = Actor
    if (own[labels.oneOff] === 'True') return
    const who = { id, name: own['name'] ?? id, service: own[labels.service] ?? '' }
    switch (Action) {
      case 'kill':
        this.#signalled.set(id, time)
        break
      case 'oom':
        this.#outOfMemory.add(id)
        break
      case 'die':
        // engines tell of a stop before or after the end that it caused
        if (!this.#stopped.has(id) && this.#wasKilled(id, time, own['exitCode']))
          this.#open.set(`${id} alive`, { kind: 'killed', ...who })
        this.#signalled.delete(id)
        this.#outOfMemory.delete(id)
        break
      case 'stop':
        this.#stopped.add(id)
        this.#forget(id)
        break
      case 'start':
        this.#stopped.delete(id)
        this.#forget(id)
        break
      case 'destroy':
        if (this.#open.has(`${id} alive`)) this.#open.set(`${id} alive`, { kind: 'removed', ...who })
        this.#stopped.delete(id)
        break
      case 'pause':
        this.#open.set(`${id} paused`, { kind: 'paused', ...who })
        break
      case 'unpause':
        this.#open.delete(`${id} paused`)
        break
      case 'update':
        this.#open.set(`${id} edited`, { kind: 'edited', ...who })
        break
    }
  }

  /** By a signal through the engine, or by one from the host. */
  #wasKilled(id: string, time: number, exitCode: string | undefined): boolean {
    if (this.#outOfMemory.has(id)) return false
    const signalled = this.#signalled.get(id)
    return (signalled !== undefined && time - signalled <= patience) || exitCode === '137'
  }

  #forget(id: string): void {
    for (const key of this.#open.keys()) if (key.startsWith(`${id} `)) this.#open.delete(key)
  }

  #hearNetwork({ Action, Actor }: EventMessage, project: Project): void {
    const { container: id, name: network } = Actor.Attributes
    if (Action !== 'disconnect' || id === undefined || network === undefined) return
    if (!Object.values(project.networks).some(each => each.name === network)) return
    this.#open.set(`${id} disconnected ${network}`, { kind: 'disconnected', id, network })
  }

  #hearImage({ Action, Actor }: EventMessage, project: Project): void {
    if (Action !== 'tag' && Action !== 'pull' && Action !== 'load') return
    const named = [Actor.ID, Actor.Attributes['name']].flatMap(name => (name === undefined ? [] : tagged(name)))
    for (const service of Object.values(project.services)) {
      const image = imageName(project, service)
      if (image === undefined || !named.includes(tagged(image))) continue
      const known = this.#open.get(`image ${image}`)
      const services = known?.kind === 'image' ? known.services : []
      this.#open.set(`image ${image}`, { kind: 'image', image, services: [...services, service.name] })
    }
  }
}

function findingOf(suspicion: Suspicion, containers: ReadonlyMap<string, ObservedContainer>): Finding | undefined {
  if (suspicion.kind === 'image')
    return { kind: 'image', services: suspicion.services, cause: `image ${suspicion.image} is another one now` }
  const found = containers.get(suspicion.id)
  if (found?.oneOff) return undefined
  switch (suspicion.kind) {
    case 'killed':
      if (found && found.state !== 'exited' && found.state !== 'dead') return undefined
      return one('killed', suspicion.service, `${suspicion.name} was killed`)
    case 'removed':
      // though it may be listed for a moment after its end was told
      return one('removed', suspicion.service, `${suspicion.name} was removed`)
    case 'paused':
      return found?.state === 'paused' ? one('paused', suspicion.service, `${suspicion.name} was paused`) : undefined
    case 'edited':
      return found?.state === 'running'
        ? one('edited', suspicion.service, `limits of ${suspicion.name} were changed`)
        : undefined
    case 'disconnected':
      if (found?.state !== 'running' || found.networks[suspicion.network] !== undefined) return undefined
      return one('disconnected', found.service, `${found.name} was disconnected from ${suspicion.network}`)
    default:
      return suspicion satisfies never
  }
}

function one(kind: Finding['kind'], service: string, cause: string): Finding {
  return { kind, services: [service], cause }
}

/** One way to write a name: without Docker's registry, with a tag. */
function tagged(reference: string): string {
  const bare = reference.replace(/^(index\.)?docker\.io\//, '').replace(/^library\//, '')
  return bare.includes('@') || bare.slice(bare.lastIndexOf('/') + 1).includes(':') ? bare : `${bare}:latest`
}
