/**
 * What tests see as `node:test` while code is mutated: they are noted down, to be run as often as there are mutants, in the process that has
 * loaded them. As much of node:test as the tests of the groups use; what is missing here fails the first run, before anything is mutated.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'

const real = process.getBuiltinModule('node:test')

type Work = (context: Context) => unknown

interface Options {
  readonly skip?: boolean | string | undefined
  /** Milliseconds. */
  readonly timeout?: number
}

/** A file, or a describe() within one. */
class Suite {
  readonly name: string
  readonly path: readonly Suite[]
  readonly before: Work[] = []
  readonly after: Work[] = []

  constructor(name: string, parent?: Suite) {
    this.name = name
    this.path = [...(parent?.path ?? []), this]
  }
}

/** What a test is given. */
class Context {
  readonly name: string
  readonly assert = { ...assert, fileSnapshot }
  readonly diagnostic = (): void => {}
  readonly skip = (): void => {}
  readonly #after: Work[] = []
  #mock: typeof real.mock | undefined

  constructor(name: string) {
    this.name = name
  }

  get mock(): typeof real.mock {
    return (this.#mock ??= new (real.mock.constructor as new () => typeof real.mock)())
  }

  readonly after = (work: Work): void => void this.#after.push(work)

  async end(): Promise<void> {
    for (const work of this.#after.reverse()) await work(this)
    this.#mock?.reset()
  }
}

export class Registered {
  readonly id: string
  readonly file: string
  readonly #suite: Suite
  readonly #work: Work
  readonly #longest: number | undefined

  constructor(id: string, file: string, suite: Suite, work: Work, longest: number | undefined) {
    this.id = id
    this.file = file
    this.#suite = suite
    this.#work = work
    this.#longest = longest
  }

  /** Rejects when the test fails. */
  async run(): Promise<void> {
    const context = new Context(this.id)
    try {
      for (const suite of this.#suite.path) for (const hook of suite.before) await hook(context)
      await within(this.#longest, this.#work(context))
    } finally {
      await context.end()
      for (const suite of this.#suite.path.toReversed()) for (const hook of suite.after) await hook(context)
    }
  }
}

let file = ''
let suite = new Suite('')
let tests: Registered[] = []
let once: { before: Work[]; after: Work[] } = { before: [], after: [] }
const ends: Work[] = []

/** The tests that a file has once `load` has loaded it. What it does once before them is done then, what it does after them by end(). */
export async function testsOf(path: string, load: () => Promise<unknown>): Promise<readonly Registered[]> {
  file = path
  suite = new Suite(path)
  tests = []
  once = { before: [], after: [] }
  await load()
  for (const work of once.before) await work(new Context(path))
  ends.push(...once.after)
  return tests
}

export async function end(): Promise<void> {
  for (const work of ends.splice(0)) await work(new Context(''))
}

export function describe(
  name: string,
  ...[first, second]: [Options, () => unknown] | [() => unknown, undefined?]
): void {
  const [options, body] = typeof first === 'function' ? [{}, first] : [first, second]
  if (options.skip) return
  const outer = suite
  suite = new Suite(name, outer)
  try {
    assert.equal(body?.(), undefined, 'describe() takes no promise here')
  } finally {
    suite = outer
  }
}

export function test(name: string, ...[first, second]: [Options, Work] | [Work, undefined?]): void {
  const [options, work] = typeof first === 'function' ? [{} as Options, first] : [first, second as Work]
  if (options.skip) return
  const path = [...suite.path.map(each => each.name), name].join(' › ')
  const same = tests.filter(each => each.id === path || each.id.startsWith(`${path} #`)).length
  tests.push(new Registered(same === 0 ? path : `${path} #${same + 1}`, file, suite, work, options.timeout))
}

export const it = test
export const before = (work: Work): void => void once.before.push(work)
export const after = (work: Work): void => void once.after.push(work)
export const beforeEach = (work: Work): void => void suite.before.push(work)
export const afterEach = (work: Work): void => void suite.after.push(work)
export const mock = real.mock

async function within(milliseconds: number | undefined, work: unknown): Promise<void> {
  if (milliseconds === undefined) return void (await work)
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`took longer than ${milliseconds} ms`)), milliseconds)
  try {
    await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
  }
}

function fileSnapshot(
  value: unknown,
  path: string,
  how: { serializers: readonly ((value: unknown) => unknown)[] },
): void {
  assert.equal(
    how.serializers.reduce((made, serialize) => serialize(made), value),
    readFileSync(path, 'utf8'),
  )
}
