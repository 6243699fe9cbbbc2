/** Every container and who has which name: found by id, name or prefix. */
import { Failure } from '../../lib/failure.ts'
import { type LinkName, linksOf, splitLinkName } from './config/links.ts'
import type { Container } from './container.ts'
import { Names } from './names.ts'

export class Collection {
  readonly #containers = new Map<string, Container>()
  readonly #names = new Names()

  /** In no order. */
  all(): MapIterator<Container> {
    return this.#containers.values()
  }

  has(container: Container): boolean {
    return this.#containers.get(container.id) === container
  }

  /**
   * By full id, exact name (with or without its slash), "web/store" for what web is linked to as store, unique id prefix.
   * @throws Failure not-found, or invalid when ambiguous.
   */
  get(ref: string): Container {
    if (ref === '') throw new Failure('invalid', 'invalid name or ID supplied: ""')
    const found = this.find(ref)
    if (!found) throw new Failure('not-found', `No such container: ${ref}`)
    return found
  }

  find(ref: string): Container | undefined {
    const byId = this.#containers.get(ref)
    if (byId) return byId
    const named = this.#names.get(ref.replace(/^\//, ''))
    if (named !== undefined) return this.#containers.get(named)
    const link = splitLinkName(ref)
    if (link) return this.#linked(link)
    if (!/^[0-9a-f]{1,63}$/.test(ref)) return undefined
    let found: Container | undefined
    for (const container of this.#containers.values()) {
      if (!container.id.startsWith(ref)) continue
      if (found) throw new Failure('invalid', `multiple IDs found with provided prefix: ${ref}`)
      found = container
    }
    return found
  }

  #linked({ from, alias }: LinkName): Container | undefined {
    const holder = this.find(from)
    const link = holder && linksOf(holder.record.hostConfig).find(each => each.alias === alias)
    return link && this.find(link.ref)
  }

  /** Takes a name for an id, or makes one up. @throws Failure `conflict` when it is taken. */
  reserve(id: string, name: string | undefined): string {
    return this.#names.reserve(id, name, this.#containers.keys())
  }

  release(name: string): void {
    this.#names.release(name)
  }

  /** Its name has been reserved. */
  add(container: Container): void {
    this.#containers.set(container.id, container)
  }

  /** As its record says, at the start of the engine. */
  adopt(container: Container): void {
    this.add(container)
    this.#names.adopt(container.id, container.name)
  }

  forget(container: Container): void {
    this.#containers.delete(container.id)
    this.#names.release(container.name)
  }

  /** For `images.remove`. */
  usersOfImage(imageId: string): Array<{ id: string; name: string; running: boolean }> {
    return [...this.#containers.values()]
      .filter(({ record }) => record.imageId === imageId || record.mounts.some(mount => mount.image === imageId))
      .map(container => ({
        id: container.id,
        name: container.name,
        running: container.running || container.state.status === 'restarting',
      }))
  }

  /** For `volumes.remove`: ids of the containers that mount it. */
  usersOfVolume(name: string): string[] {
    return [...this.#containers.values()]
      .filter(container => container.record.mounts.some(mount => mount.type === 'volume' && mount.name === name))
      .map(container => container.id)
  }

  /** By status, for `info`. */
  counts(): { total: number; running: number; paused: number; stopped: number } {
    const all = [...this.#containers.values()]
    const running = all.filter(({ state }) => state.status === 'running' || state.status === 'restarting').length
    const paused = all.filter(({ state }) => state.status === 'paused').length
    return { total: all.length, running, paused, stopped: all.length - running - paused }
  }
}
