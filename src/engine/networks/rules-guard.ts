/** Rules that others take away (`nft flush ruleset`, a firewall that is loaded again) are put back when the kernel tells of it. */
import { messageOf } from '../../lib/failure.ts'
import type { NetworkKernel } from './kernel.ts'

/** What changes rules does so many times in a row: ms from the first that is heard. */
const moment = 100

export interface RulesGuardOptions {
  /** Looks at the rules, and makes them what they should be. */
  readonly mend: () => Promise<void>
  readonly say: (line: string) => void
}

export class RulesGuard {
  readonly #options: RulesGuardOptions
  #stop: (() => void) | undefined
  #timer: NodeJS.Timeout | undefined
  #working = false
  #again = false
  /** What was wrong the last time. */
  #told: string | undefined

  constructor(kernel: Pick<NetworkKernel, 'whenRulesChange'>, options: RulesGuardOptions) {
    this.#options = options
    try {
      this.#stop = kernel.whenRulesChange(() => this.#heard())
    } catch (error) {
      options.say(
        `What others do to the firewall's rules cannot be heard here (${messageOf(error)}): ours are looked at when they change`,
      )
    }
  }

  #heard(): void {
    if (this.#working) this.#again = true
    else this.#timer ??= setTimeout(() => void this.#look(), moment).unref()
  }

  async #look(): Promise<void> {
    this.#timer = undefined
    this.#working = true
    try {
      await this.#options.mend()
      this.#told = undefined
    } catch (error) {
      const message = messageOf(error)
      if (message !== this.#told) this.#options.say(`The firewall's rules cannot be looked after: ${message}`)
      this.#told = message
    }
    this.#working = false
    if (this.#again && this.#stop) {
      this.#again = false
      this.#heard()
    }
  }

  close(): void {
    this.#stop?.()
    this.#stop = undefined
    clearTimeout(this.#timer)
  }
}
