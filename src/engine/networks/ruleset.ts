/** The machine's firewall rules, shared with whoever else changes them: what we change, and whether others did meanwhile. */
import type { NetworkKernel } from './kernel.ts'

type Rules = Pick<NetworkKernel, 'runNft' | 'firewallGeneration' | 'firewallDigest'>

export class Ruleset {
  readonly #kernel: Rules
  #generation: number | undefined
  #changesOfOthers = 0

  constructor(kernel: Rules) {
    this.#kernel = kernel
  }

  /** As `NetworkKernel.runNft`. The generation that it makes is ours, unless somebody else made one at that moment. */
  run(commands: string): string {
    this.changesOfOthers()
    const before = this.#generation
    const printed = this.#kernel.runNft(commands)
    const after = this.#kernel.firewallGeneration()
    if (before !== undefined && after === before + 1) this.#generation = after
    return printed
  }

  /** As `NetworkKernel.firewallDigest`. */
  digest(table: string, sets: readonly string[]): bigint | undefined {
    return this.#kernel.firewallDigest(table, sets)
  }

  /** Another number than before when others have changed rules since. Costs a message to the kernel. */
  changesOfOthers(): number {
    const generation = this.#kernel.firewallGeneration()
    if (generation !== this.#generation) this.#changesOfOthers++
    this.#generation = generation
    return this.#changesOfOthers
  }
}
