/** Network namespaces that outlive their container's process: who uses one, and when it goes. */
import type { Runtime } from '../../runtime/runtime.ts'
import type { Dns } from '../dns/server.ts'

/**
 * A sandbox is made with the first start of its container and joined by those that share it (`container:x`, `service:x`). It goes
 * when the last of them has stopped for good; over a restart its owner keeps holding it.
 */
export class Sandboxes {
  readonly #runtime: Runtime
  readonly #dns: Dns
  readonly #users = new Map<string, Set<string>>()

  constructor(runtime: Runtime, dns: Dns) {
    this.#runtime = runtime
    this.#dns = dns
  }

  hold(path: string, containerId: string): void {
    const users = this.#users.get(path)
    if (users) users.add(containerId)
    else this.#users.set(path, new Set([containerId]))
  }

  isUsed(path: string): boolean {
    return this.#users.has(path)
  }

  /** True when it was the last user, and the sandbox and its name server are gone. */
  async release(path: string, containerId: string): Promise<boolean> {
    const users = this.#users.get(path)
    users?.delete(containerId)
    if (users && users.size > 0) return false
    this.#users.delete(path)
    this.#dns.stop(path)
    await this.#runtime.runHost({ kind: 'host', operations: [{ kind: 'delete-sandbox', path }] })
    return true
  }
}
