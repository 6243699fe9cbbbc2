/** From what was asked for to an image: the context, the plan, its stages, and the document that names the result. */
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import PQueue from 'p-queue'
import { Failure, messageOf } from '../../lib/failure.ts'
import type { Say } from '../base/aside.ts'
import type { Paths } from '../base/paths.ts'
import type { Image } from '../images/image.ts'
import type { Images } from '../images/images.ts'
import { BaseImages, checkPlatform } from './base-images.ts'
import type { Source } from './build-failure.ts'
import { buildImage, namesOf } from './build-image.ts'
import type { BuildCache } from './cache.ts'
import { exportCache } from './cache-export.ts'
import { type ImportedCache, importCache, locationName } from './cache-import.ts'
import { CacheMounts } from './cache-mounts.ts'
import type { CacheSpace } from './cache-prune.ts'
import { CacheUsage, type ContextCopies } from './cache-usage.ts'
import { Contexts, type Tell } from './contexts.ts'
import { evaluatePlan, lookupOf } from './evaluate-plan.ts'
import { internalId } from './event-ids.ts'
import type { OnBuildEvent } from './events.ts'
import type { FileWork } from './file-work.ts'
import { type Inspection, inspectDockerfile } from './inspect.ts'
import { Receipts } from './receipts.ts'
import type { BuildRequest } from './request.ts'
import type { RunCommand } from './run-command.ts'
import { type Series, type SeriesStore, seriesOf } from './series.ts'
import { solve } from './solve.ts'
import { StepMaker } from './step-maker.ts'

export interface BuilderOptions {
  readonly paths: Paths
  readonly images: Images
  readonly cache: BuildCache
  readonly series: SeriesStore
  readonly files: FileWork
  readonly run: RunCommand
  readonly say: Say
  /** What the cache may have after a build; a tenth of the disk where it says nothing of the most. */
  readonly budget?: CacheSpace | undefined
  readonly copies: ContextCopies
}

export class Builder {
  /** What the cache holds, and how it is cleared away. */
  readonly usage: CacheUsage
  /** Of builds that have ended well. */
  readonly receipts: Receipts
  readonly #options: BuilderOptions
  readonly #maker: StepMaker
  /** Builds under way. */
  readonly #running = new Set<{ readonly stop: AbortController; readonly ended: Promise<unknown> }>()

  constructor(options: BuilderOptions) {
    this.#options = options
    this.receipts = new Receipts(options)
    const cacheMounts = new CacheMounts(options.paths)
    this.usage = new CacheUsage({ ...options, mounts: cacheMounts, budget: options.budget })
    // each step that is made may be a container
    const queue = new PQueue({ concurrency: availableParallelism() * 2 })
    this.#maker = new StepMaker({ ...options, cacheMounts, queue })
  }

  /**
   * The image, tagged.
   * @throws BuildFailure for a step that failed, Failure for anything else; nothing is left of it but what the cache has.
   */
  async build(request: BuildRequest, onEvent: OnBuildEvent, signal: AbortSignal): Promise<Image> {
    const stop = new AbortController()
    const ended = this.#build(request, onEvent, AbortSignal.any([signal, stop.signal]))
    const running = { stop, ended }
    this.#running.add(running)
    try {
      return await ended
    } catch (error) {
      if (signal.aborted || stop.signal.aborted)
        throw new Failure('cancelled', 'Cannot build: cancelled', { cause: error })
      throw error
    } finally {
      this.#running.delete(running)
      // nobody waits for it
      void this.usage.trim().catch(error => this.#options.say(`Cannot clear the build cache: ${messageOf(error)}`))
    }
  }

  /** What the Dockerfile says of itself; nothing is built. @throws Failure. */
  async inspect(
    question: Inspection['question'],
    request: BuildRequest,
    onEvent: OnBuildEvent,
    signal: AbortSignal,
  ): Promise<Inspection> {
    await using undo = new AsyncDisposableStack()
    const { source, bases, contexts } = await this.#open(request, { tell: teller(onEvent), signal, undo })
    return await inspectDockerfile(question, source, request, lookupOf(bases, contexts))
  }

  /** Ends all builds, and resolves when nothing of them runs any more. */
  async close(): Promise<void> {
    for (const { stop } of this.#running) stop.abort()
    await Promise.allSettled([...this.#running].map(({ ended }) => ended))
    await rm(this.#options.paths.buildSecrets, { recursive: true, force: true })
  }

  /** The Dockerfile, and where the rest of a build comes from. */
  async #open(request: BuildRequest, { tell, signal, undo }: Opening): Promise<Opened> {
    const contexts = this.#contexts(request, { tell, signal, undo })
    const source = await contexts.dockerfile()
    const onPin = (unpin: () => void | Promise<void>) => undo.defer(unpin)
    const bases = new BaseImages(this.#options.images, { request, tell, signal, onPin })
    return { source, bases, contexts }
  }

  #contexts(request: BuildRequest, { tell, signal, undo }: Opening): Contexts {
    const { files, paths } = this.#options
    const fetch = async (address: string) => {
      const folder = await mkdtemp(join(paths.buildTemp, 'context-'))
      undo.defer(() => rm(folder, { recursive: true, force: true }))
      const { args, client } = request
      return await files.fetchContext(address, { folder, args, client, signal })
    }
    return new Contexts(request, { fetch, tell })
  }

  async #build(request: BuildRequest, onEvent: OnBuildEvent, signal: AbortSignal): Promise<Image> {
    const { images, series } = this.#options
    if (request.platform !== undefined) checkPlatform(request.platform)
    // what it would end with is refused before anything is made
    namesOf(request)
    await using undo = new AsyncDisposableStack()
    const tell = teller(onEvent)
    const { source, bases, contexts } = await this.#open(request, { tell, signal, undo })
    const plan = await evaluatePlan(source, request, {
      bases,
      contexts,
      onRead: () => onEvent({ kind: 'read' }),
      onWarning: warning => onEvent({ kind: 'warning', warning, dockerfile: source.name }),
    })
    onEvent({ kind: 'plan', plan })
    const name = seriesOf(request, source.text)
    let loading: Promise<Series> | undefined
    const before = () => (loading ??= series.load(name))
    const imported = await importAll(request, { store: images.store, client: request.client, signal }, tell)
    // what another build waits for may be made when this one is over
    const onPin = (unpin: () => void) => (undo.disposed ? unpin() : undo.defer(unpin))
    const shared = { images, request, onPin, signal }
    const solved = await solve({ ...shared, maker: this.#maker, plan, source, contexts, imported, before, onEvent })
    const inline = request.cacheTo.some(({ type }) => type === 'inline')
    const image = await tell('exporting to image', () =>
      buildImage(images, { plan, request, laid: solved.target, inline }),
    )
    try {
      const keys = solved.records.map(({ key }) => key)
      await series.save(name, solved.series, keys)
      const records = { target: solved.target.records, all: solved.records }
      for (const location of request.cacheTo.filter(({ type }) => type !== 'inline'))
        await tell(`exporting cache to ${locationName(location)}`, () =>
          exportCache(location, records, { images, client: request.client, signal }),
        )
      const receipt = this.receipts.give({ request, plan, source, image, used: bases.used, keys })
      if (receipt !== undefined) onEvent({ kind: 'receipt', receipt })
      return image
    } catch (error) {
      if (request.loose) await images.letGo(image)
      throw error
    }
  }
}

interface Opened {
  readonly source: Source
  readonly bases: BaseImages
  readonly contexts: Contexts
}

interface Opening {
  readonly tell: Tell
  readonly signal: AbortSignal
  /** Takes what lets go of the images that were looked up. */
  readonly undo: AsyncDisposableStack
}

/** One that cannot be had is told, and done without. */
async function importAll(
  { cacheFrom }: BuildRequest,
  options: Parameters<typeof importCache>[1],
  tell: Tell,
): Promise<readonly ImportedCache[]> {
  const found = await Promise.all(
    cacheFrom.map(async location => {
      try {
        return await tell(`importing cache manifest from ${locationName(location)}`, () =>
          importCache(location, options),
        )
      } catch (error) {
        if (options.signal.aborted) throw error
        return undefined
      }
    }),
  )
  return found.filter(each => each !== undefined)
}

/** Told as steps of their own, outside of the stages. */
function teller(onEvent: OnBuildEvent): Tell {
  const now = () => performance.timeOrigin + performance.now()
  return async (name, work) => {
    const id = internalId(name)
    onEvent({ kind: 'step', id, name, inputs: [], lines: undefined })
    onEvent({ kind: 'started', id, at: now() })
    const parts = new Map<string, number>()
    const report = (part: string, current: number, done: boolean) =>
      onEvent({ kind: 'progress', id, part, current, total: 0, at: now(), done })
    try {
      const result = await work(part => bytes => {
        parts.set(part, bytes)
        report(part, bytes, false)
      })
      for (const [part, bytes] of parts) report(part, bytes, true)
      onEvent({ kind: 'completed', id, at: now(), error: undefined })
      return result
    } catch (error) {
      onEvent({ kind: 'completed', id, at: now(), error: messageOf(error) })
      throw error
    }
  }
}
