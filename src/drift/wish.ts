/**
 * What a watched stack is to become: something new when its files say so, or the names of its images. It is brought about once: what failed of it is left
 * as it is, while all the rest is kept up, until the files or the images change, or somebody changes what runs. Pure.
 */
import { isAnswered } from '../apply/answered.ts'
import { serviceGraph } from '../graph/services.ts'
import type { Project } from '../model/project.ts'

/** What the files have given has not been brought about yet; `left`: a service has gone from them. */
export interface Due {
  readonly left: boolean
}

/** By the name that the project uses, what it means: an id. */
export type Meanings = ReadonlyMap<string, string>

export class Wish {
  #due: Due | undefined
  /** Why what was wished for could not be brought about. */
  #failure: string | undefined
  /** Services of which it could not, with all that need them. */
  #failed: ReadonlySet<string> = new Set()
  /** Of the images, when it was looked at last; undefined: nobody has. */
  #images: Meanings | undefined

  get due(): Due | undefined {
    return this.#due
  }

  get failure(): string | undefined {
    return this.#failure
  }

  /** The files say something else. */
  changed({ left }: Due): void {
    this.#due = { left: left || (this.#due?.left ?? false) }
    this.#failure = undefined
    this.#failed = new Set()
  }

  /** Somebody has changed what runs: what failed may succeed now. */
  again(): void {
    if (this.#failure === undefined) return
    this.#due ??= { left: false }
    this.#failed = new Set()
  }

  /** It is asked for anew, by whoever brings it about. */
  forget(): void {
    this.#due = undefined
    this.#failure = undefined
    this.#failed = new Set()
  }

  /** One look, and what it leads to. */
  attempt(): Attempt {
    const read = this.#due
    let images: Meanings | undefined
    let wished = read !== undefined
    let differs = false
    const settle = () => {
      this.#images = images ?? this.#images
      if (this.#due === read) this.#due = undefined
    }
    return {
      read,
      sees: found => {
        images = found
        if (!this.#images || ![...found].some(([name, id]) => this.#images!.get(name) !== id)) return
        if (!wished) this.#failed = new Set()
        wished = true
      },
      get isWished() {
        return wished
      },
      isLeft: service => this.#failed.has(service),
      differs: () => {
        differs = true
      },
      done: () => {
        settle()
        if (differs && this.#failed.size > 0) return
        this.#failure = undefined
        this.#failed = new Set()
      },
      failed: (error, project) => {
        if (!isAnswered(error) || !(wished || this.#failure !== undefined)) return undefined
        const before = this.#failed
        this.#failed = new Set([...before, ...withDependents(project, error.services)])
        this.#failure = before.size > 0 ? `${this.#failure}\n${error.message}` : error.message
        const goesOn = this.#failed.size > before.size
        settle()
        // what has nothing to do with it is as much wished for as before
        if (goesOn && wished) this.#due ??= read ?? { left: false }
        return { goesOn }
      },
    }
  }
}

export interface Attempt {
  /** What the files have given when it began. */
  readonly read: Due | undefined
  /** What the names of images mean now: called before anything is planned. */
  sees(images: Meanings): void
  /** Whether what differs is somebody's wish, and not only what has happened behind their back. */
  readonly isWished: boolean
  /** Whether what is wished of a service has failed, and is not tried again. */
  isLeft(service: string): boolean
  /** One of those is not as it should be. */
  differs(service: string): void
  /** Nothing has failed. */
  done(): void
  /** Undefined: it is to be tried again by itself. `goesOn`: others are left that have nothing to do with what failed. */
  failed(error: unknown, project: Project): { readonly goesOn: boolean } | undefined
}

function withDependents(project: Project, failed: ReadonlySet<string>): readonly string[] {
  const graph = serviceGraph(project)
  return Object.keys(project.services).filter(name => [...graph.closure([name])].some(needed => failed.has(needed)))
}
