/** One step: looked up by all it depends on, or made and remembered. The same step of two builds at once is made once. */
import { join } from 'node:path'
import type PQueue from 'p-queue'
import { Failure, isFailure } from '../../lib/failure.ts'
import { stableHash } from '../../lib/stable-json.ts'
import type { HostPath } from '../../runtime/spec.ts'
import type { Paths } from '../base/paths.ts'
import { chainIds } from '../images/catalogue.ts'
import type { Digest } from '../images/digest.ts'
import type { Images } from '../images/images.ts'
import { SharedWork } from '../images/shared-work.ts'
import { CommandFailure } from './build-failure.ts'
import type { BuildCache, CacheRecord } from './cache.ts'
import type { ImportedCache } from './cache-import.ts'
import type { CacheMounts } from './cache-mounts.ts'
import { filesFrom } from './context-paths.ts'
import type { Fetched, FilesSource } from './copy-request.ts'
import type { AddStep, CopyStep, Input, RunStep, Step } from './dockerfile/plan.ts'
import { textOf } from './event-ids.ts'
import type { FileWork } from './file-work.ts'
import { imageBelow } from './image-below.ts'
import { keepLayer, openWorkplace, type Workplace } from './layer.ts'
import { counterpart, missReason } from './miss-reason.ts'
import type { BuildRequest } from './request.ts'
import type { RunCommand } from './run-command.ts'
import { realPath, runMounts } from './run-mounts.ts'
import { copyInputs, keyOf, runInputs, type StepInputs, stepFiles, targetOf, workdirInputs } from './step-inputs.ts'

export interface StepMakerOptions {
  readonly paths: Paths
  readonly images: Images
  readonly cache: BuildCache
  readonly cacheMounts: CacheMounts
  readonly files: FileWork
  readonly run: RunCommand
  readonly queue: PQueue
}

type MadeStep = Exclude<Step, { kind: 'config' }>

/** Files a step reads; `chain` of those that are layers. */
export type StepSource = FilesSource & { readonly chain: string | undefined }

export interface MakeOptions {
  readonly below: readonly Digest[]
  readonly source: (input: Input) => Promise<StepSource>
  readonly request: BuildRequest
  /** Not to be taken from the cache. */
  readonly fresh: boolean
  /** The steps of its stage as they were made last time, and its place among them. */
  readonly before: () => Promise<readonly StepInputs[]>
  readonly place: number
  /** Caches of other places. */
  readonly imported: readonly ImportedCache[]
  readonly onInputs: (inputs: StepInputs) => void
  readonly onStart: () => void
  readonly onCached: () => void
  readonly onMissed: (reason: string) => void
  /** The container that a command runs in; nobody is told of one that another build has it run in. */
  readonly onContainer: (id: string) => void
  readonly onOutput: OnOutput
  /** Called with what lets a layer go again that the build has come to rely on. */
  readonly onPin: (unpin: () => void) => void
  readonly signal: AbortSignal
}

/** The layer is null when it wrote nothing. */
export type StepResult = CacheRecord

type OnOutput = (stream: 'stdout' | 'stderr', data: Uint8Array) => void

interface Output {
  readonly stream: 'stdout' | 'stderr'
  readonly data: Uint8Array
}

export class StepMaker {
  readonly #options: StepMakerOptions
  readonly #shared = new SharedWork<StepResult, Output>()

  constructor(options: StepMakerOptions) {
    this.#options = options
  }

  /** @throws Failure in BuildKit's words when a command fails or a file is missing. */
  async make(step: MadeStep, options: MakeOptions): Promise<StepResult> {
    const { signal, onOutput } = options
    await using fetching = new AsyncDisposableStack()
    const fetched = step.kind === 'add' ? await this.#fetch(step, fetching, options) : []
    const inputs = await this.#inputs(step, fetched, options)
    options.onInputs(inputs)
    const key = keyOf(inputs)
    const found = options.fresh ? undefined : ((await this.#find(key, options)) ?? (await this.#import(key, options)))
    if (found) {
      options.onCached()
      return found
    }
    options.onMissed(options.fresh ? 'no cache was asked for' : await reasonOf(inputs, options))
    const make = async (output: OnOutput, shared: AbortSignal): Promise<StepResult> => {
      const work = () => this.#make(step, { ...options, signal: shared, onOutput: output }, { key, fetched })
      // its own signal would let go of work that still runs
      return (await this.#options.queue.add(work))!
    }
    // what was fetched goes with who fetched it
    if (fetched.some(each => each !== undefined)) return await make(onOutput, signal)
    for (;;) {
      let own = false
      try {
        const participant = { signal, onProgress: ({ stream, data }: Output) => onOutput(stream, data) }
        const result = await this.#shared.run(key, participant, async (shared, tell) => {
          own = true
          return await make((stream, data) => tell({ stream, data }), shared)
        })
        // made for another build, and cleared away meanwhile: then it is made for this one
        if (own || (await this.#hold(result, options))) return result
      } catch (error) {
        // another build's client has left, and its files with it: then it is made for this one
        if (own || signal.aborted || (isFailure(error) && error.exitCode !== undefined)) throw error
      }
    }
  }

  /** From the first of the imported caches that knows the step. */
  async #import(key: string, options: MakeOptions): Promise<StepResult | undefined> {
    const { images, cache } = this.#options
    const { imported, signal } = options
    for (const source of imported) {
      const record = source.records.get(key)
      if (record === undefined) continue
      const { layer } = record
      const unpin = images.store.catalogue.pin(layer === null ? [] : [layer])
      try {
        if (layer !== null) await source.fetch(layer, signal)
        const added = await cache.add(record)
        await this.#hold(added, options)
        return added
      } finally {
        unpin()
      }
    }
    return undefined
  }

  /** Keeps its layer for as long as the build lasts; false when that is gone already. */
  async #hold({ layer }: StepResult, { onPin }: MakeOptions): Promise<boolean> {
    if (layer === null) return true
    const { catalogue, layers } = this.#options.images.store
    onPin(catalogue.pin([layer]))
    return (await layers.find(layer)) !== undefined
  }

  /** What it made, if that is still there. */
  async #find(key: string, options: MakeOptions): Promise<StepResult | undefined> {
    const { cache } = this.#options
    const record = cache.use(key)
    if (record === undefined) return undefined
    if (!(await this.#hold(record, options))) {
      await cache.remove(key)
      return undefined
    }
    return record
  }

  async #inputs(
    step: MadeStep,
    fetched: readonly (Fetched | undefined)[],
    { below, source, request, signal }: MakeOptions,
  ): Promise<StepInputs> {
    const chain = chainIds(below).at(-1) ?? ''
    switch (step.kind) {
      case 'copy':
      case 'add': {
        const from = await source(filesFrom(step))
        return copyInputs(step, chain, await this.#options.files.digest({ step, source: from, fetched, signal }))
      }
      case 'workdir':
        return workdirInputs(step, chain)
      case 'run': {
        const files: Record<string, StepInputs['files'][string]> = {}
        for (const mount of step.mounts)
          if (mount.kind === 'bind') {
            const from = await source(mount.from)
            const path = realPath(from.layers, mount.source)
            // layers are known by their chain
            files[targetOf(mount)] =
              from.chain === undefined
                ? stepFiles(await this.#options.files.treeDigest(mount.source, { source: from, signal }))
                : { digest: stableHash([from.chain, path]) }
          }
        return runInputs(step, chain, files, request)
      }
      default:
        return step satisfies never
    }
  }

  async #fetch(
    step: AddStep,
    undo: AsyncDisposableStack,
    { signal, request }: MakeOptions,
  ): Promise<readonly (Fetched | undefined)[]> {
    if (step.sources.every(({ kind }) => kind === 'path')) return step.sources.map(() => undefined)
    const { extra } = undo.use(openWorkplace(this.#options.paths, []))
    const fetched: (Fetched | undefined)[] = []
    for (const source of step.sources)
      fetched.push(
        await this.#options.files.fetch(source, { folder: extra, args: request.args, client: request.client, signal }),
      )
    return fetched
  }

  async #make(step: MadeStep, options: MakeOptions, made: Making): Promise<StepResult> {
    const { images, cache, files, paths } = this.#options
    const { key, fetched } = made
    const { signal, below } = options
    signal.throwIfAborted()
    const layers = images.layers({ diffIds: below })
    await using workplace = openWorkplace(paths, layers)
    const { upper } = workplace
    if (step.kind === 'run') await this.#run(step, options, { workplace, layers })
    else if (step.kind === 'workdir') await files.workdir(step, { below: layers, upper })
    else {
      const source = await options.source(filesFrom(step))
      await files.copy({ step, source, fetched, below: layers, upper, signal })
    }
    const unpin: (() => void)[] = []
    try {
      const onDigest = (diffId: Digest) => void unpin.push(images.store.catalogue.pin([diffId]))
      const { diffId = null, size } = await keepLayer(images, workplace, { onDigest, signal })
      const created = new Date().toISOString()
      const usesMounts = step.kind === 'run' && step.mounts.some(({ kind }) => kind === 'cache')
      const chain = chainIds(below).at(-1) ?? ''
      const record = await cache.add({
        key,
        description: textOf(step),
        usesMounts,
        below: chain,
        layer: diffId,
        size,
        created,
      })
      await this.#hold(record, options)
      return record
    } finally {
      for (const each of unpin) each()
    }
  }

  async #run(
    step: RunStep,
    options: MakeOptions,
    { workplace, layers }: { readonly workplace: Workplace; readonly layers: readonly HostPath[] },
  ): Promise<void> {
    const { run, cacheMounts, files, paths, images } = this.#options
    const { request, signal, onOutput, onContainer, source } = options
    const { upper, work, extra } = workplace
    if (step.security === 'insecure') demand(request, 'security.insecure')
    const network = step.network === 'default' ? request.network : step.network
    if (network === 'host') demand(request, 'network.host')
    await using undo = new AsyncDisposableStack()
    let masks = 0
    const layersOf = async (from: Input) => files.shown(await source(from), join(extra, `mask${masks++}`))
    const { mounts, env } = await runMounts(
      step.mounts,
      {
        client: request.client,
        layersOf,
        chainOf: async from => (await source(from)).chain,
        cacheMounts,
        fill: async (from, path, into) => await files.copyPart(await source(from), path, { into, signal }),
        extra,
        secrets: paths.buildSecrets,
      },
      undo,
    )
    let code: number
    try {
      code = await run({
        layers,
        upper,
        work,
        args: step.args,
        env: [...step.proxyEnv, ...step.env, ...env],
        cwd: step.cwd,
        user: step.user,
        mounts,
        network,
        privileged: step.security === 'insecure',
        hosts: request.extraHosts,
        shmSize: request.shmSize,
        ulimits: request.ulimits,
        limits: request.limits,
        cgroupParent: request.cgroupParent,
        onContainer,
        keep: request.keepCommands && {
          when: request.keepCommands,
          image: () => imageBelow(images, step, options.below),
        },
        onOutput,
        signal,
      })
    } catch (error) {
      // a program that is not there or cannot be run: of the command, not of the engine
      if (!isFailure(error) || (error.exitCode !== 126 && error.exitCode !== 127)) throw error
      onOutput('stderr', Buffer.from(`${error.message}\n`))
      code = error.exitCode
    }
    if (code !== 0) throw new CommandFailure(step.args, code)
  }
}

async function reasonOf(inputs: StepInputs, { before, place }: MakeOptions): Promise<string> {
  return missReason(counterpart(await before(), inputs.text, place), inputs, place === 0)
}

interface Making {
  readonly key: string
  readonly fetched: readonly (Fetched | undefined)[]
}

/** The step that would copy something as it is. */
export function wholeCopy(step: Pick<Step, 'label' | 'lines'>, source: string): CopyStep {
  return {
    kind: 'copy',
    label: step.label,
    lines: step.lines,
    createdBy: '',
    from: { kind: 'context', name: 'context' },
    sources: [source],
    destination: '/',
    parents: false,
    chown: undefined,
    chmod: undefined,
    link: false,
    exclude: [],
    heredocs: [],
    cwd: '/',
  }
}

function demand(request: BuildRequest, entitlement: string): void {
  if (!request.entitlements.has(entitlement))
    throw new Failure('denied', `granting entitlement ${entitlement} is not allowed by build daemon configuration`, {
      hint: `Allow it with --allow ${entitlement}`,
    })
}
