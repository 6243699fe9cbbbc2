/** What somebody has done to a stack, in sentences: suspected when it is heard, told when it still holds as one looks. Pure. */
import type { EventMessage } from '../api/events.ts'
import type { Project } from '../model/project.ts'
import type { ObservedContainer } from '../targets/engine/observed.ts'
import { imageName } from '../targets/engine/plan/names.ts'
import type { Heard } from './heard.ts'

export type Deed =
  | { readonly kind: 'killed' | 'removed' | 'paused' | 'edited'; readonly id: string; readonly name: string }
  | { readonly kind: 'disconnected'; readonly id: string; readonly network: string }
  | { readonly kind: 'image'; readonly image: string }

export class Deeds {
  /** By container and kind, or by image. */
  readonly #open = new Map<string, Deed>()

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
    for (const service of Object.values(project.services)) {
      const image = imageName(project, service)
      if (image !== undefined && named.includes(tagged(image)))
        return this.#add(`image ${image}`, { kind: 'image', image })
    }
    return undefined
  }

  /** What of it holds when one looks, in the order it was heard: each once. */
  confirm(containers: readonly ObservedContainer[]): readonly string[] {
    const byId = new Map(containers.map(each => [each.id, each]))
    const open = [...this.#open.values()]
    this.#open.clear()
    return open.flatMap(each => sentence(each, byId) ?? [])
  }

  #add(key: string, deed: Deed): Deed {
    this.#open.set(key, deed)
    return deed
  }
}

function sentence(deed: Deed, containers: ReadonlyMap<string, ObservedContainer>): string | undefined {
  if (deed.kind === 'image') return `image ${deed.image} is another one now`
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
