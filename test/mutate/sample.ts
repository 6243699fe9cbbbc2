/** Lets the mutation tester ask about some of the mutants only, chosen at random by a seed, the same ones each time. */
import { createHash } from 'node:crypto'

interface Mutant {
  readonly id: string
}

type Options = Readonly<{ sample: { readonly share: number; readonly seed: string } }>

/** A checker tells which mutants are worth a test; one that it refuses counts as none. */
class Sample {
  static readonly inject = ['options'] as const
  readonly #options: Options['sample']

  constructor({ sample }: Options) {
    this.#options = sample
  }

  init(): void {}

  check(mutants: readonly Mutant[]) {
    return Object.fromEntries(
      mutants.map(({ id }) => [
        id,
        this.#has(id) ? { status: 'passed' } : { status: 'compileError', reason: 'not in the sample' },
      ]),
    )
  }

  #has(id: string): boolean {
    const { share, seed } = this.#options
    return createHash('sha256').update(`${seed} ${id}`).digest().readUInt32BE() < share * 2 ** 32
  }
}

export const strykerPlugins = [{ kind: 'Checker', name: 'sample', injectableClass: Sample }]
