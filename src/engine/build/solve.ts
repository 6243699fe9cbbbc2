/** The stages of a plan to layers: side by side where they need not wait for each other, each step from the cache or made. */
import { messageOf } from '../../lib/failure.ts'
import type { HostPath } from '../../runtime/spec.ts'
import { chainIds } from '../images/catalogue.ts'
import type { Digest } from '../images/digest.ts'
import type { ImageHistory } from '../images/image.ts'
import type { Images } from '../images/images.ts'
import { BuildFailure, type Source } from './build-failure.ts'
import type { CacheRecord } from './cache.ts'
import type { ImportedCache } from './cache-import.ts'
import { contextPaths } from './context-paths.ts'
import type { Contexts } from './contexts.ts'
import type { BuildPlan, Input, Stage, Step } from './dockerfile/plan.ts'
import { baseId, shownSteps, stepId } from './event-ids.ts'
import type { OnBuildEvent } from './events.ts'
import type { BuildRequest } from './request.ts'
import type { Series } from './series.ts'
import type { StepInputs } from './step-inputs.ts'
import { inputsOf } from './step-inputs.ts'
import { type StepMaker, wholeCopy } from './step-maker.ts'

/** Layers so far, lowest first, and how they came to be. */
export interface Laid {
  readonly diffIds: readonly Digest[]
  readonly history: readonly ImageHistory[]
  /** Of the last layer. */
  readonly created: string | undefined
  /** How many entries of the history came with the base. */
  readonly inherited: number
  /** Of the steps that made them, of those below too. */
  readonly records: readonly CacheRecord[]
}

export interface SolveOptions {
  readonly images: Images
  readonly maker: StepMaker
  readonly request: BuildRequest
  readonly plan: BuildPlan
  readonly source: Source
  readonly contexts: Contexts
  readonly imported: readonly ImportedCache[]
  /** What the build was made of last time. */
  readonly before: () => Promise<Series>
  readonly onEvent: OnBuildEvent
  /** Called with what lets a layer go again that the build has come to rely on. */
  readonly onPin: (unpin: () => void) => void
  readonly signal: AbortSignal
}

export interface Solved {
  readonly target: Laid
  /** Of all stages. */
  readonly records: readonly CacheRecord[]
  /** For the next time. */
  readonly series: Series
}

const nothing: Laid = { diffIds: [], history: [], created: undefined, inherited: 0, records: [] }

/** The first failure ends the others; it is thrown when they have ended. */
export async function solve(options: SolveOptions): Promise<Solved> {
  const stop = new AbortController()
  const solving = new Solving({ ...options, signal: AbortSignal.any([options.signal, stop.signal]) })
  const results = await Promise.allSettled(
    options.plan.stages.map(async stage => {
      try {
        return await solving.stage(stage)
      } catch (error) {
        solving.failure ??= { error }
        stop.abort()
        throw error
      }
    }),
  )
  if (solving.failure) throw solving.failure.error
  const target = results[options.plan.stages.indexOf(options.plan.target)]
  if (target?.status !== 'fulfilled') throw new TypeError('the target is none of the stages')
  const records = results.flatMap(result => (result.status === 'fulfilled' ? result.value.records : []))
  const unique = new Map(records.map(record => [record.key, record]))
  return { target: target.value, records: [...unique.values()], series: solving.series }
}

class Solving {
  failure: { readonly error: unknown } | undefined
  readonly #options: SolveOptions
  readonly #stages = new Map<Stage, Promise<Laid>>()
  readonly #made = new Map<string, StepInputs[]>()
  readonly #contextPaths: ReadonlyMap<string, readonly string[]>

  constructor(options: SolveOptions) {
    this.#options = options
    this.#contextPaths = contextPaths(options.plan)
    for (const stage of options.plan.stages) this.#announce(stage)
  }

  get series(): Series {
    return Object.fromEntries(this.#made)
  }

  stage(stage: Stage): Promise<Laid> {
    const known = this.#stages.get(stage)
    if (known) return known
    const solving = this.#solve(stage)
    this.#stages.set(stage, solving)
    return solving
  }

  #announce(stage: Stage): void {
    const { onEvent } = this.#options
    if (stage.baseLabel !== undefined)
      onEvent({
        kind: 'step',
        id: baseId(stage),
        name: stage.baseLabel,
        inputs: [],
        lines: stage.lines,
      })
    let before = lastOf(stage.base) ?? baseId(stage)
    for (const [i, step] of shownSteps(stage).entries()) {
      const id = stepId(stage, i)
      const others = inputsOf(step).flatMap(input => lastOf(input) ?? [])
      onEvent({
        kind: 'step',
        id,
        name: step.label,
        inputs: [before, ...others],
        lines: step.lines,
      })
      before = id
    }
  }

  async #solve(stage: Stage): Promise<Laid> {
    let laid = await this.#base(stage)
    const steps = shownSteps(stage)
    for (const step of stage.steps) {
      this.#options.signal.throwIfAborted()
      laid = step.kind === 'config' ? configured(laid, step) : await this.#step(stage, steps.indexOf(step), step, laid)
    }
    return laid
  }

  async #base(stage: Stage): Promise<Laid> {
    const { base } = stage
    const { onEvent } = this.#options
    switch (base.kind) {
      case 'scratch':
        return nothing
      case 'stage':
        return await this.stage(base.stage)
      case 'image': {
        const at = now()
        onEvent({ kind: 'started', id: baseId(stage), at })
        onEvent({ kind: 'cached', id: baseId(stage), at })
        onEvent({ kind: 'completed', id: baseId(stage), at, error: undefined })
        const { diffIds, history, created } = base.image
        return { diffIds, history, created: created.toISOString(), inherited: history.length, records: [] }
      }
      case 'context':
        return await this.#contextBase(stage, base)
      default:
        return base satisfies never
    }
  }

  async #step(stage: Stage, place: number, step: Exclude<Step, { kind: 'config' }>, laid: Laid): Promise<Laid> {
    const { onEvent, request, maker, source, before, signal } = this.#options
    const id = stepId(stage, place)
    const name = this.#seriesName(stage)
    const made = this.#made.get(name) ?? []
    this.#made.set(name, made)
    let running = false
    const start = () => {
      if (running) return
      running = true
      onEvent({ kind: 'started', id, at: now() })
    }
    try {
      const result = await maker.make(step, {
        below: laid.diffIds,
        source: input => this.#files(input),
        request,
        fresh: isFresh(request, stage),
        imported: this.#options.imported,
        before: async () => (await before())[name] ?? [],
        place,
        onInputs: inputs => void (made[place] = inputs),
        onStart: start,
        onCached: () => {
          start()
          onEvent({ kind: 'cached', id, at: now() })
        },
        onMissed: reason => {
          start()
          onEvent({ kind: 'missed', id, reason })
        },
        onContainer: container => onEvent({ kind: 'running', id, container }),
        onOutput: (stream, data) => onEvent({ kind: 'output', id, stream, data, at: now() }),
        onPin: this.#options.onPin,
        signal,
      })
      onEvent({ kind: 'completed', id, at: now(), error: undefined })
      return added(laid, step, result)
    } catch (error) {
      start()
      // who was only told to stop has not failed
      const failed = this.failure === undefined || !signal.aborted
      onEvent({ kind: 'completed', id, at: now(), error: failed ? messageOf(error) : 'cancelled' })
      if (signal.aborted || error instanceof BuildFailure) throw error
      throw new BuildFailure(error, { source, lines: step.lines })
    }
  }

  /** A folder of the client as a root file system. */
  async #contextBase(stage: Stage, base: Extract<Input, { kind: 'context' }>): Promise<Laid> {
    const step = {
      ...wholeCopy({ label: stage.baseLabel ?? `FROM ${base.name}`, lines: stage.lines }, '/'),
      from: base,
    }
    const record = await this.#options.maker.make(step, {
      below: [],
      source: input => this.#files(input),
      request: this.#options.request,
      signal: this.#options.signal,
      onInputs: () => undefined,
      onStart: () => undefined,
      onCached: () => undefined,
      onMissed: () => undefined,
      onContainer: () => undefined,
      onOutput: () => undefined,
      onPin: this.#options.onPin,
      fresh: isFresh(this.#options.request, stage),
      imported: this.#options.imported,
      before: async () => [],
      place: 0,
    })
    return added(nothing, step, record)
  }

  /** Two stages may have one name. */
  #seriesName({ name, index }: Stage): string {
    const others = this.#options.plan.stages.filter(stage => stage.name === name)
    return others.length > 1 ? `${name}#${index}` : name
  }

  async #files(input: Input): Promise<{
    readonly layers: readonly HostPath[]
    readonly exclude: readonly string[]
    readonly chain: string | undefined
  }> {
    const { contexts, images } = this.#options
    if (input.kind === 'context') {
      const paths = this.#contextPaths.get(input.name) ?? []
      return { ...(await contexts.source(input.name, paths)), chain: undefined }
    }
    if (input.kind === 'scratch') return { layers: [], exclude: [], chain: '' }
    const diffIds = input.kind === 'image' ? input.image.diffIds : (await this.stage(input.stage)).diffIds
    return { layers: images.layers({ diffIds: [...diffIds] }), exclude: [], chain: chainOf(diffIds) }
  }
}

/** "" of nothing. */
export function chainOf(diffIds: readonly Digest[]): string {
  return chainIds(diffIds).at(-1) ?? ''
}

function isFresh({ noCache }: BuildRequest, stage: Stage): boolean {
  return typeof noCache === 'boolean' ? noCache : noCache.some(name => name.toLowerCase() === stage.name.toLowerCase())
}

/** The last that is shown of what files come from. */
function lastOf(input: Input): string | undefined {
  if (input.kind !== 'stage') return undefined
  const { stage } = input
  const count = shownSteps(stage).length
  if (count > 0) return stepId(stage, count - 1)
  return stage.base.kind === 'stage' ? lastOf(stage.base) : baseId(stage)
}

function configured(laid: Laid, step: Step): Laid {
  return { ...laid, history: [...laid.history, ...entry(step, laid.created, true)] }
}

function added(laid: Laid, step: Step, record: CacheRecord): Laid {
  const { layer, created } = record
  return {
    inherited: laid.inherited,
    records: [...laid.records, record],
    diffIds: layer === null ? laid.diffIds : [...laid.diffIds, layer],
    history: [...laid.history, ...entry(step, created, layer === null)],
    created,
  }
}

function entry({ createdBy }: Step, created: string | undefined, empty: boolean): readonly ImageHistory[] {
  if (createdBy === undefined) return []
  const made: ImageHistory = {
    ...(created !== undefined && { created }),
    created_by: createdBy,
    comment: 'buildkit.dockerfile.v0',
    ...(empty && { empty_layer: true }),
  }
  return [made]
}

/** Milliseconds since 1970, with fractions. */
function now(): number {
  return performance.timeOrigin + performance.now()
}
