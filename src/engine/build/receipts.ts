/**
 * What finished builds were made of, so that the same build again is told from a few comparisons. Kept in memory alone: without one
 * a build goes its whole way, and comes to the same. What cannot be known without looking elsewhere (a registry, an address, a
 * repository) gives no receipt.
 */
import { randomBytes } from 'node:crypto'
import { Failure } from '../../lib/failure.ts'
import type { Digest } from '../images/digest.ts'
import type { Image } from '../images/image.ts'
import type { Images } from '../images/images.ts'
import { familiar, newName, parseReference } from '../images/reference.ts'
import type { Source } from './build-failure.ts'
import type { BuildCache } from './cache.ts'
import type { BuildPlan, BuildWarning } from './dockerfile/plan.ts'
import { shownSteps } from './event-ids.ts'
import type { BuildRequest } from './request.ts'

/** An image that was looked up, and what was found. */
export interface UsedImage {
  readonly reference: string
  readonly id: Digest
}

export interface FinishedBuild {
  readonly request: BuildRequest
  readonly plan: BuildPlan
  readonly source: Source
  readonly image: Image
  readonly used: readonly UsedImage[]
  /** Of all its steps, in the cache. */
  readonly keys: readonly string[]
}

interface Receipt {
  readonly image: Digest
  readonly tags: readonly string[]
  readonly used: readonly UsedImage[]
  readonly keys: readonly string[]
  readonly steps: readonly string[]
  readonly warnings: readonly BuildWarning[]
  readonly source: Source
}

interface Noted {
  readonly id: string
  readonly receipt: Receipt
  /** The client's words. */
  readonly note: string
}

export interface MadeAgain {
  readonly image: Image
  /** As they are shown, in order. */
  readonly steps: readonly string[]
  readonly warnings: readonly BuildWarning[]
  readonly source: Source
}

/** Those that nobody has noted yet, and those that were; beyond, the oldest go. */
const mostGiven = 64
const mostNoted = 256

export class Receipts {
  readonly #images: Images
  readonly #cache: BuildCache
  readonly #given = new Map<string, Receipt>()
  readonly #noted = new Map<string, Noted>()

  constructor({ images, cache }: { readonly images: Images; readonly cache: BuildCache }) {
    this.#images = images
    this.#cache = cache
  }

  /** Undefined for a build that may come to something else though all that is here is the same. */
  give(build: FinishedBuild): string | undefined {
    const { request, plan, source, image, used, keys } = build
    if (looksElsewhere(request, plan)) return undefined
    const id = randomBytes(16).toString('hex')
    const steps = plan.stages.flatMap(stage => [
      ...(stage.baseLabel === undefined ? [] : [stage.baseLabel]),
      ...shownSteps(stage).map(({ label }) => label),
    ])
    const tags = request.tags.map(tag => newName(tag, undefined)!)
    put(this.#given, id, { image: image.id, tags, used, keys, steps, warnings: plan.warnings, source }, mostGiven)
    return id
  }

  /** The client's words are kept beside a receipt, under its name for the build. @throws Failure `not-found` for one that is none. */
  note(key: string, id: string, note: string): void {
    const receipt = this.#given.get(id)
    if (receipt === undefined) throw new Failure('not-found', `No such build receipt: ${id}`)
    this.#given.delete(id)
    put(this.#noted, key, { id, receipt, note }, mostNoted)
  }

  /** @throws Failure `not-found`. */
  get(key: string): { readonly id: string; readonly note: string } {
    const { id, note } = this.#find(key)
    return { id, note }
  }

  /** The image under its names, when all that it was made of here is as it was. @throws Failure `not-found` when it is not. */
  async use(key: string): Promise<MadeAgain> {
    const { receipt } = this.#find(key)
    const image = this.#images.find(receipt.image)
    if (image === undefined || !this.#isAsItWas(receipt)) {
      this.#noted.delete(key)
      throw new Failure('not-found', `No receipt of build ${key}: what it was made of has changed`)
    }
    for (const each of receipt.keys) this.#cache.use(each)
    for (const tag of receipt.tags)
      if (this.#images.find(tag)?.id !== image.id) await this.#images.tag(image.id, familiar(parseReference(tag)))
    return { image, steps: receipt.steps, warnings: receipt.warnings, source: receipt.source }
  }

  #find(key: string): Noted {
    const found = this.#noted.get(key)
    if (found === undefined) throw new Failure('not-found', `No receipt of build ${key}`)
    return found
  }

  #isAsItWas({ used, keys }: Receipt): boolean {
    return (
      used.every(({ reference, id }) => this.#images.find(reference)?.id === id) &&
      keys.every(key => this.#cache.get(key) !== undefined)
    )
  }
}

function looksElsewhere(request: BuildRequest, plan: BuildPlan): boolean {
  const { noCache, pull, loose, cacheFrom, cacheTo, namedContexts } = request
  return (
    pull ||
    loose === true ||
    (typeof noCache === 'boolean' ? noCache : noCache.length > 0) ||
    cacheFrom.length + cacheTo.length > 0 ||
    [...namedContexts.values()].some(({ kind }) => kind === 'remote' || kind === 'layout') ||
    plan.stages.some(({ steps }) =>
      steps.some(step => step.kind === 'add' && step.sources.some(({ kind }) => kind !== 'path')),
    )
  )
}

function put<T>(map: Map<string, T>, key: string, value: T, most: number): void {
  map.delete(key)
  map.set(key, value)
  if (map.size > most) map.delete([...map.keys()][0]!)
}
