/** Fields that a server takes and does not keep: which they are, one object of a kind tells for all that lack the same. */
import type { Live } from '../live.ts'
import type { JsonMap, Manifest } from '../manifest.ts'
import type { Verdict } from '../observed.ts'
import { differences } from './differences.ts'

export class LostFields {
  readonly #asked = new Map<string, Promise<Verdict>>()

  /** What the server says of it, or has said of another one that differs in the same. */
  async verdictOf(wanted: Manifest, live: Live | undefined, ask: () => Promise<Verdict>): Promise<Verdict> {
    const key = live && missingIn(wanted, live)
    if (key === undefined) return await ask()
    const before = this.#asked.get(key)
    if (before === undefined) {
      const asked = ask()
      this.#asked.set(key, asked)
      return await asked
    }
    // one that failed tells nothing of others
    const verdict = await before.catch(() => undefined)
    return verdict?.kind === 'same' && (verdict.lost ?? []).length > 0 ? verdict : await ask()
  }
}

/** Kind and fields, where all the difference is that fields are not there; undefined otherwise. */
function missingIn(wanted: Manifest, live: Live): string | undefined {
  if (live.metadata.deletionTimestamp !== undefined) return undefined
  const found = differences(wanted, live)
  if (found.length === 0 || found.some(({ from, to }) => from !== undefined || to === undefined)) return undefined
  const names = containersOf(wanted)
  const paths = found.map(({ path }) => path.map(part => (names.has(part) ? '*' : part)).join('/'))
  return [wanted.kind, ...paths.sort()].join(' ')
}

/** Names by which the entries of lists in a template go. */
function containersOf({ spec }: Manifest): ReadonlySet<string> {
  const job = (spec?.['jobTemplate'] as JsonMap | undefined)?.['spec'] as JsonMap | undefined
  const pod = ((job ?? spec)?.['template'] as JsonMap | undefined)?.['spec'] as JsonMap | undefined
  const named = (pod?.['containers'] ?? []) as readonly { readonly name?: string }[]
  return new Set(named.flatMap(({ name }) => name ?? []))
}
