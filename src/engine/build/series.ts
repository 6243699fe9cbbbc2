/** What the steps of a build were made of last time, so that a miss can be explained; of no use for anything else, and lost without harm. */
import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { stableHash } from '../../lib/stable-json.ts'
import type { Aside } from '../base/aside.ts'
import type { Paths } from '../base/paths.ts'
import { type RecordKind, writeRecord } from '../base/store.ts'
import type { BuildRequest } from './request.ts'
import type { StepInputs } from './step-inputs.ts'

const seriesVersion = 1

const inputsSchema = z.object({
  text: z.string(),
  below: z.string(),
  values: z.record(z.string(), z.string()),
  files: z.record(z.string(), z.object({ digest: z.string(), entries: z.record(z.string(), z.string()).optional() })),
})
const seriesSchema = z.object({
  version: z.literal(seriesVersion),
  /** Of each stage, in order. */
  stages: z.record(z.string(), z.array(inputsSchema)),
})
const seriesKind: RecordKind<z.infer<typeof seriesSchema>> = { version: seriesVersion, schema: seriesSchema }

/** Kept at most; beyond, those not built for the longest time go. */
const mostSeries = 256

export type Series = Readonly<Record<string, readonly StepInputs[]>>

/** Builds that follow one another: those of one image name and target, or without a name of one text. */
export function seriesOf({ tags, target }: Pick<BuildRequest, 'tags' | 'target'>, text: string): string {
  return stableHash([tags[0] ?? text, target])
}

export class SeriesStore {
  readonly #paths: Paths
  readonly #aside: Aside
  /** What was written of a series last. */
  readonly #saved = new Map<string, string>()

  constructor(paths: Paths, aside: Aside) {
    this.#paths = paths
    this.#aside = aside
  }

  async load(series: string): Promise<Series> {
    const loaded = await this.#aside.load(this.#path(series), seriesKind)
    return loaded.kind === 'whole' ? loaded.record.stages : {}
  }

  /** `keys` of all steps: with the same ones as last time there is nothing to write. */
  async save(series: string, stages: Series, keys: readonly string[]): Promise<void> {
    const print = stableHash(keys)
    if (this.#saved.get(series) === print) return
    await this.#aside.folder(this.#paths.buildSeries)
    await writeRecord(this.#path(series), { version: seriesVersion, stages })
    this.#saved.set(series, print)
    if (this.#saved.size > mostSeries) this.#saved.delete([...this.#saved.keys()][0]!)
    await this.#forgetOldest()
  }

  async #forgetOldest(): Promise<void> {
    const names = await readdir(this.#paths.buildSeries)
    if (names.length <= mostSeries) return
    const paths = names.map(name => join(this.#paths.buildSeries, name))
    const times = await Promise.all(paths.map(async path => ({ path, at: (await stat(path)).mtimeMs })))
    const oldest = times.sort((a, b) => b.at - a.at).slice(mostSeries)
    await Promise.all(oldest.map(({ path }) => rm(path, { recursive: true, force: true })))
  }

  #path(series: string): string {
    return join(this.#paths.buildSeries, `${series}.json`)
  }
}
