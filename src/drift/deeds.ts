/** What somebody has done to a stack, in sentences: suspected when it is heard, told when it still holds as one looks. Pure. */
import type { EventMessage } from '../api/events.ts'
import type { Project } from '../model/project.ts'
import type { ObservedContainer } from '../targets/engine/observed.ts'
import { imageName } from '../targets/engine/plan/names.ts'
import type { Heard } from './heard.ts'
import type { Meanings } from './wish.ts'

export type Deed =
  | { readonly kind: 'killed' | 'removed' | 'paused' | 'edited'; readonly id: string; readonly name: string }
  | { readonly kind: 'disconnected'; readonly id: string; readonly network: string }
  /** `services`: those that are made from it. */
  | { readonly kind: 'image'; readonly image: string; readonly services: readonly string[] }

export class Deeds {
  /** By container and kind, or by image. */
  readonly #open = new Map<string, Deed>()
  /** Image → what was told last that it means. */
  readonly #told = new Map<string, string>()

  /** Of a container, by somebody else; `killed`: it did not end by itself. Undefined for what is no deed, or makes one undone. */
  hear({ action, id, name }: Heard, killed: boolean): Deed | undefined {
    switch (action) {
      case 'die':
        return killed ? this.#add(`${id} alive`, { kind: 'killed', id, name }) : undefined
      case 'start':
      case 'stop':
        for (const key of this.#open.keys()) if (key.startsWith(`${id} `)) this.#open.delete(key)
        return undefined
      case 'destroy':
        // one that has ended before was in nobody's way
        if (!this.#open.has(`${id} alive`)) return undefined
        return this.#add(`${id} alive`, { kind: 'removed', id, name })
      case 'pause':
        return this.#add(`${id} paused`, { kind: 'paused', id, name })
      case 'unpause':
        this.#open.delete(`${id} paused`)
        return undefined
      case 'update':
        return this.#add(`${id} edited`, { kind: 'edited', id, name })
      default:
        return undefined
    }
  }

  hearDisconnect(id: string, network: string): Deed {
    return this.#add(`${id} disconnected ${network}`, { kind: 'disconnected', id, network })
  }

  /** Undefined: no service of the project is made from it. */
  hearImage({ Actor }: EventMessage, project: Project): Deed | undefined {
    const named = [Actor.ID, Actor.Attributes['name']].flatMap(name => (name === undefined ? [] : tagged(name)))
    const services = Object.values(project.services).filter(service => {
      const image = imageName(project, service)
      return image !== undefined && named.includes(tagged(image))
    })
    if (services.length === 0) return undefined
    const image = imageName(project, services[0]!)!
    return this.#add(`image ${image}`, { kind: 'image', image, services: services.map(({ name }) => name) })
  }

  /** What of it holds when one looks, in the order it was heard: each once. Of images when it is known what they mean now, by name. */
  confirm(containers: readonly ObservedContainer[], images?: Meanings): readonly string[] {
    const byId = new Map(containers.map(each => [each.id, each]))
    const open = [...this.#open].filter(([, { kind }]) => kind !== 'image' || images)
    for (const [key] of open) this.#open.delete(key)
    return open.flatMap(([, deed]) =>
      deed.kind === 'image' ? (this.#imageSentence(deed, containers, images!) ?? []) : (sentence(deed, byId) ?? []),
    )
  }

  /** It may have been pulled again, and be what it was. */
  #imageSentence(
    { image, services }: Extract<Deed, { kind: 'image' }>,
    containers: readonly ObservedContainer[],
    images: Meanings,
  ): string | undefined {
    const now = images.get(image)
    const isOther = containers.some(each => services.includes(each.service) && !each.oneOff && each.imageId !== now)
    if (now === undefined || !isOther || this.#told.get(image) === now) return undefined
    this.#told.set(image, now)
    return `image ${image} is another one now`
  }

  #add(key: string, deed: Deed): Deed {
    this.#open.set(key, deed)
    return deed
  }
}

function sentence(
  deed: Exclude<Deed, { kind: 'image' }>,
  containers: ReadonlyMap<string, ObservedContainer>,
): string | undefined {
  const found = containers.get(deed.id)
  switch (deed.kind) {
    case 'killed':
      if (found && found.state !== 'exited' && found.state !== 'dead') return undefined
      return `${deed.name} was killed`
    case 'removed':
      // though it may be listed for a moment after its end was told
      return `${deed.name} was removed`
    case 'paused':
      return found?.state === 'paused' ? `${deed.name} was paused` : undefined
    case 'edited':
      return found?.state === 'running' ? `limits of ${deed.name} were changed` : undefined
    case 'disconnected':
      if (found?.state !== 'running' || found.networks[deed.network] !== undefined) return undefined
      return `${found.name} was disconnected from ${deed.network}`
    default:
      return deed satisfies never
  }
}

/** One way to write a name: without Docker's registry, with a tag. */
function tagged(reference: string): string {
  const bare = reference.replace(/^(index\.)?docker\.io\//, '').replace(/^library\//, '')
  return bare.includes('@') || bare.slice(bare.lastIndexOf('/') + 1).includes(':') ? bare : `${bare}:latest`
}
