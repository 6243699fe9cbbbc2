/** What an engine has that is asked for it: a container that runs, with an exec; a network; a volume: all by the name "fuzz"; and an image "busybox". */
import { endpoints } from '../../src/api/endpoints.ts'
import type { Client } from '../../src/client/client.ts'
import { isFailure } from '../../src/lib/failure.ts'

/** Of the image, by which it stays when others take its own name from it. */
const kept = 'kept:1'

export class Targets {
  readonly #client: Client
  #names: readonly string[] = ['fuzz']

  private constructor(client: Client) {
    this.#client = client
  }

  /** @param client of an engine with busybox. */
  static async open(client: Client): Promise<Targets> {
    const [repo, tag] = kept.split(':')
    await client.call(endpoints.imageTag, { params: { name: 'busybox' }, query: { repo, tag } })
    const targets = new Targets(client)
    await targets.renew()
    return targets
  }

  /** Names and ids. */
  get names(): readonly string[] {
    return this.#names
  }

  /** Makes again what has been removed. @throws Failure where that cannot be, but for what another is quicker with. */
  async renew(): Promise<void> {
    const client = this.#client
    const given = { params: { id: 'fuzz' } }
    const unlessThere = (error: unknown) => {
      if (!isFailure(error, 'conflict')) throw error
    }
    try {
      await client.call(endpoints.imageTag, { params: { name: kept }, query: { repo: 'busybox' } })
      const HostConfig = { NetworkMode: 'none', Init: true }
      const body = { Image: kept, Cmd: ['sleep', '100000'], HostConfig }
      await client.call(endpoints.containerCreate, { query: { name: 'fuzz' }, body }).catch(unlessThere)
      await client.call(endpoints.networkCreate, { body: { Name: 'fuzz' } }).catch(unlessThere)
      await client.call(endpoints.volumeCreate, { body: { Name: 'fuzz' } }).catch(unlessThere)
      await client.call(endpoints.containerUnpause, given).catch(() => undefined)
      await client.call(endpoints.containerStart, given)
      const exec = await client.call(endpoints.execCreate, { ...given, body: { Cmd: ['true'] } })
      const { Id } = await client.call(endpoints.containerInspect, given)
      this.#names = ['fuzz', 'fuzz', 'busybox', Id, exec.Id]
    } catch (error) {
      if (!isFailure(error, 'not-found') && !isFailure(error, 'conflict')) throw error
    }
  }
}
