/** Keeps an apply in the history while it happens: written before the first operation, and again with what became of it. */
import { PlanFailure } from '../apply/plan-failure.ts'
import { isFailure, messageOf } from '../lib/failure.ts'
import { stableHash } from '../lib/stable-json.ts'
import { freeze } from '../model/frozen.ts'
import type { Project } from '../model/project.ts'
import { Plan } from '../plan/plan.ts'
import { planJson, type StepJson } from '../plan/print.ts'
import { summarize } from '../plan/summary.ts'
import { markOf } from '../state/running.ts'
import { imagesOf } from '../targets/engine/plan/images.ts'
import type { Kept } from '../targets/target.ts'
import { type Entry, entryVersion, type KeptImage, type Outcome, repairing } from './entry.ts'
import type { History } from './history.ts'

export interface Applying extends Pick<Entry, 'command' | 'services' | 'scale' | 'to' | 'user'> {
  readonly history: History
  /** How many applies are kept; 0: none. */
  readonly length: number
  /** What is to be; undefined where nothing is left to be. */
  readonly project?: Project
  readonly folder?: string | undefined
  /** Told when nothing can be kept: an apply does not fail for that. */
  readonly warn: (text: string) => void
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

type Head = Omit<Entry, 'number' | 'changes' | 'steps' | 'images' | 'files' | 'variables' | 'model'>

/** Milliseconds after which what takes longer to write is written: by then the first calls are on their way to the engine. */
const later = 10

export class Recorder {
  readonly #applying: Applying
  readonly #plans: Plan[] = []
  #observed: Kept | undefined
  #number: number | undefined
  #head: Head | undefined
  /** Made once: it is most of the document. */
  #model: string | undefined
  #due: NodeJS.Timeout | undefined
  #off: boolean
  /** A plan was carried out in which nothing had to be done. */
  #foundDone = false

  constructor(applying: Applying) {
    this.#applying = applying
    this.#off = applying.length < 1
  }

  /** Does `work`, which tells of each plan by `plan`, and keeps how it ended. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    try {
      const result = await work()
      this.#end({ kind: 'done' })
      return result
    } catch (error) {
      this.#end(outcomeOf(error))
      throw error
    }
  }

  /** A plan is about to be carried out; with the first that is not empty the apply has begun. */
  plan(plan: Plan, observed: Kept): void {
    if (plan.empty) this.#foundDone ||= this.#plans.length === 0
    if (plan.empty || this.#off) return
    this.#foundDone = false
    this.#plans.push(plan)
    // a later look knows what pulls and builds have brought
    this.#observed = observed
    if (this.#number === undefined) this.#kept(() => this.#begin())
    clearTimeout(this.#due)
    this.#due = setTimeout(() => this.#write(), later)
  }

  /** That there is an apply must be known before anything is done; what it is about may follow. */
  #begin(): void {
    const { history, length, now = Date.now, command, services, scale, to, user, folder } = this.#applying
    this.#head = {
      version: entryVersion,
      command,
      ...(services && { services }),
      ...(scale && Object.keys(scale).length > 0 && { scale }),
      ...(to !== undefined && { to }),
      user,
      process: markOf(process.pid),
      begun: new Date(now()).toISOString(),
      ...(folder !== undefined && { folder }),
      outcome: { kind: 'begun' },
    }
    const rest = { changes: [], steps: [], images: {}, files: {}, variables: {} }
    const text = (number: number) => JSON.stringify({ ...this.#head, number, ...rest })
    this.#number = history.add(text, length, { isRepair: command === repairing })
  }

  #end(outcome: Outcome): void {
    clearTimeout(this.#due)
    const { now = Date.now } = this.#applying
    if (this.#head === undefined) {
      if (outcome.kind === 'done' && this.#foundDone) this.#settle(now())
      return
    }
    this.#head = { ...this.#head, outcome, ended: new Date(now()).toISOString() }
    this.#write()
  }

  /** All is as it should be, without anything that had to be done. */
  #settle(now: number): void {
    const { history, project, services, command } = this.#applying
    if (project && services === undefined && command !== 'create') this.#kept(() => history.settle(now))
  }

  #write(): void {
    const [number, observed] = [this.#number, this.#observed]
    if (number === undefined || observed === undefined) return
    this.#kept(() => this.#applying.history.replace(number, this.#text(number, observed)))
  }

  #text(number: number, observed: Kept): string {
    const { project } = this.#applying
    const head = JSON.stringify({
      ...this.#head,
      number,
      changes: summarize(this.#plans),
      steps: this.#plans.flatMap(stepsOf),
      images: project ? keptImages(project, observed) : {},
      files: Object.fromEntries(observed.files),
      variables: project ? variableHashes(project) : {},
    })
    if (!project) return head
    this.#model ??= JSON.stringify(freeze(project, { withoutVariables: true }))
    return `${head.slice(0, -1)},"model":${this.#model}}`
  }

  #kept(write: () => void): void {
    if (this.#off) return
    try {
      write()
    } catch (error) {
      if (!isFailure(error)) throw error
      this.#off = true
      this.#applying.warn(`this is not kept in the history: ${error.message}`)
    }
  }
}

function stepsOf(plan: Plan): readonly StepJson[] {
  const only = (kind: string) => plan.nodes.every(({ operation }) => operation.kind === kind)
  const none = { pulls: new Plan(plan.words), builds: new Plan(plan.words), plan: new Plan(plan.words) }
  const phase = only('pull-image') ? 'pulls' : only('build-image') ? 'builds' : 'plan'
  return planJson({ ...none, [phase]: plan }).steps
}

function outcomeOf(error: unknown): Outcome {
  if (isFailure(error, 'cancelled')) return { kind: 'interrupted' }
  const failures =
    error instanceof PlanFailure ? error.failed.map(({ failure }) => failure.message) : [messageOf(error)]
  return { kind: 'failed', failures }
}

/** What each image that the project names is at the moment. */
export function keptImages(project: Project, { images }: Pick<Kept, 'images'>): Readonly<Record<string, KeptImage>> {
  const kept: Record<string, KeptImage> = {}
  for (const name of imagesOf(project)) {
    const image = images.get(name)
    if (image) kept[name] = { id: image.id, ...(image.digest === undefined ? {} : { digest: image.digest }) }
  }
  return kept
}

/** "secrets.password" → a short hash, by which a later reader sees whether the variable has changed. */
export function variableHashes(project: Project): Readonly<Record<string, string>> {
  const hashes: Record<string, string> = {}
  for (const kind of ['configs', 'secrets'] as const)
    for (const [key, { source }] of Object.entries(project[kind]))
      if (source.kind === 'environment' && source.value !== undefined)
        hashes[`${kind}.${key}`] = stableHash([project.name, kind, key, source.value]).slice(0, 8)
  return hashes
}
