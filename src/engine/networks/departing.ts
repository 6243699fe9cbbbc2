/**
 * Host ends of containers that have left. The kernel takes a namespace away some time after its last process, and as long as its
 * interface is on the bridge it answers for an address that another container may have by then.
 */
import type { Runtime } from '../../runtime/runtime.ts'
import type { Attachment } from './attachment.ts'
import type { NetworkKernel } from './kernel.ts'

/** Beyond so many, those that the kernel has taken away are forgotten. */
const many = 256

export class Departing {
  readonly #runtime: Runtime
  readonly #kernel: NetworkKernel
  /** By hardware address, which follows from network and address. */
  readonly #links = new Map<string, string>()

  constructor(runtime: Runtime, kernel: NetworkKernel) {
    this.#runtime = runtime
    this.#kernel = kernel
  }

  left({ mac, interface: { host } }: Attachment): void {
    if (this.#links.size >= many)
      for (const [key, name] of this.#links) if (!this.#kernel.link(name)) this.#links.delete(key)
    this.#links.set(mac, host)
  }

  /** Takes away what still stands where these are to be. */
  async giveWay(attachments: readonly Attachment[]): Promise<void> {
    const names = attachments.flatMap(({ mac }) => this.#links.get(mac) ?? [])
    for (const { mac } of attachments) this.#links.delete(mac)
    const operations = names
      .filter(name => this.#kernel.link(name))
      .map(name => ({ kind: 'delete-link' as const, name }))
    if (operations.length > 0) await this.#runtime.runHost({ kind: 'host', operations })
  }
}
