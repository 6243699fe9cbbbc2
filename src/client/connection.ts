/** The version two sides speak: asked once, when first needed; our own default socket need not be asked. */
import { negotiateVersion, newestVersion } from '../api/version.ts'
import { Failure } from '../lib/failure.ts'
import { defaultSocket, type Place } from './host.ts'
import { type Connections, errorOf } from './request.ts'

export class Agreement {
  readonly #connections: Connections
  #version: Promise<string> | undefined

  constructor(connections: Connections, place: Place, version: string | undefined) {
    this.#connections = connections
    // Behind our default socket is our engine. One of another version answers a path it does not know with 400 "too new",
    // which names both versions; that is worth the round trip saved on every command.
    if (version !== undefined) this.#version = Promise.resolve(version)
    else if (place.kind === 'unix' && place.path === defaultSocket(process.env))
      this.#version = Promise.resolve(newestVersion)
  }

  version(): Promise<string> {
    if (this.#version === undefined) {
      this.#version = this.#ask()
      // a failed question is asked again the next time
      this.#version.catch(() => {
        this.#version = undefined
      })
    }
    return this.#version
  }

  async #ask(): Promise<string> {
    const options = { method: 'GET', path: '/_ping', what: 'ping the engine' }
    const response = await this.#connections.send(options)
    if (response.statusCode !== 200) throw await errorOf(response, options)
    response.resume()
    const header = response.headers['api-version']
    if (header === undefined && response.headers['ostype'] === undefined)
      throw new Failure(
        'unavailable',
        `Cannot use "${this.#connections.host}": what answers there is no container engine`,
      )
    return negotiateVersion(typeof header === 'string' ? header : undefined)
  }
}
