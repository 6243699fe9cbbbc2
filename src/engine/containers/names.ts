/** Which container has which name; a name is one container's alone. */
import { Failure } from '../../lib/failure.ts'
import { randomName } from '../../lib/ids.ts'

const valid = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/

export class Names {
  readonly #ids = new Map<string, string>()

  get(name: string): string | undefined {
    return this.#ids.get(name)
  }

  /**
   * Takes `name` for `id`, or makes one up. `others`: ids of all containers.
   * @throws Failure `invalid` or `conflict` in Docker's words.
   */
  reserve(id: string, name: string | undefined, others: Iterable<string>): string {
    if (name === undefined || name === '') return this.#invent(id)
    const bare = name.replace(/^\//, '')
    if (!valid.test(bare))
      throw new Failure('invalid', `Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`)
    const holder = this.#ids.get(bare)
    if (holder !== undefined)
      throw new Failure(
        'conflict',
        `Conflict. The container name "/${bare}" is already in use by container "${holder}". You have to remove (or rename) that container to be able to reuse that name.`,
      )
    if (/^[0-9a-f]+$/.test(bare))
      for (const other of others)
        if (other !== id && other.startsWith(bare))
          throw new Failure('conflict', `Cannot name a container "${bare}": the id of container "${other}" begins so`, {
            hint: 'Choose a name that no id begins with',
          })
    this.#ids.set(bare, id)
    return bare
  }

  release(name: string): void {
    this.#ids.delete(name)
  }

  /** What the records say, at the start of the engine. */
  adopt(id: string, name: string): void {
    this.#ids.set(name, id)
  }

  #invent(id: string): string {
    for (;;) {
      const name = randomName()
      if (this.#ids.has(name)) continue
      this.#ids.set(name, id)
      return name
    }
  }
}
