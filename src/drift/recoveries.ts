/** Which services were unhealthy and are well again: what follows them is restarted for it. */
import type { Heard } from './heard.ts'

export class Recoveries {
  /** Names of containers that are unhealthy. */
  readonly #ailing = new Set<string>()
  /** Service → when it was well again. */
  readonly recovered = new Map<string, number>()

  hear({ action, name, service, at }: Heard): void {
    if (action === 'health_status: unhealthy') this.#ailing.add(name)
    // what has been started since is followed for that
    else if (action === 'start') this.#ailing.delete(name)
    else if (action === 'health_status: healthy' && this.#ailing.delete(name)) this.recovered.set(service, at)
  }
}
