/**
 * Runs tests for the mutation tester within its own process (https://stryker-mutator.io/docs/stryker-js/guides/create-a-plugin): the files of
 * tests are loaded once, and for each mutant only the tests run that reach it. A start of Node and the loading of two hundred modules, which
 * a mutant would cost otherwise, is a hundred times what its tests take.
 *
 * Changed code may leave behind what spoils later tests: a test that fails must pass again without the change, or it is asked in a new process.
 * So is a mutant that no test has come by, since something was kept that was made before it.
 */
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { end, type Registered, testsOf } from './registry.ts'

/** What instrumented code and the mutation tester tell each other by. */
interface Shared {
  activeMutant?: string | undefined
  currentTestId?: string | undefined
  mutantCoverage?: unknown
  hitCount?: number
  hitLimit?: number | undefined
}

interface MutantRun {
  readonly activeMutant: { readonly id: string }
  readonly testFilter?: readonly string[]
  readonly hitLimit?: number
  /** A mutant that code meets while it is loaded must be there before. */
  readonly mutantActivation: 'runtime' | 'static'
}

type Options = Readonly<{ inProcess: { readonly files: readonly string[] } }>
type Verdict =
  | { status: 'killed'; killedBy: readonly string[]; failureMessage: string; nrOfTests: number }
  | { status: 'survived'; nrOfTests: number }

const variable = '__STRYKER_ACTIVE_MUTANT__'
const shared: Shared = ((globalThis as { __stryker__?: Shared }).__stryker__ ??= {})

/** What the first run tells the processes after it. */
const times = join(tmpdir(), 'times.json')

class InProcess {
  static readonly inject = ['options'] as const
  readonly #files: readonly string[]
  #tests: readonly Registered[] | undefined
  /** Milliseconds of each test, by its id: the quick ones are asked first. */
  #took = new Map<string, number>()
  #mutantsBefore = 0
  #spoiled = false
  /** What has failed beside the test's own promise. */
  #aside: unknown

  constructor(options: Options) {
    this.#files = options.inProcess.files
  }

  capabilities() {
    return { reloadEnvironment: false }
  }

  init(): void {
    const registry = new URL('registry.ts', import.meta.url).href
    registerHooks({
      resolve: (name, context, next) =>
        name === 'node:test' ? { url: registry, format: 'module-typescript', shortCircuit: true } : next(name, context),
    })
    for (const event of ['uncaughtException', 'unhandledRejection'])
      process.on(event, error => {
        this.#aside ??= error
      })
  }

  async dryRun() {
    const tests = []
    for (const test of await this.#load()) {
      shared.currentTestId = test.id
      const error = await this.#failure(test)
      shared.currentTestId = undefined
      const told = { id: test.id, name: test.id, timeSpentMs: this.#took.get(test.id) ?? 0 }
      tests.push(error === undefined ? { ...told, status: 0 } : { ...told, status: 1, failureMessage: String(error) })
    }
    writeFileSync(times, JSON.stringify([...this.#took]))
    return { status: 'complete', tests, mutantCoverage: shared.mutantCoverage }
  }

  async mutantRun({ activeMutant: { id }, testFilter, hitLimit, mutantActivation }: MutantRun): Promise<Verdict> {
    if (this.#spoiled) throw new Error('an earlier mutant has left something behind')
    if (mutantActivation === 'runtime') await this.#load()
    shared.hitCount = 0
    shared.hitLimit = hitLimit
    this.#activate(id)
    const asked = new Set(testFilter)
    let failed: { readonly test?: Registered; readonly error: unknown } | undefined
    let ran = 0
    try {
      const tests = (await this.#load()).filter(test => testFilter === undefined || asked.has(test.id))
      for (const test of tests.toSorted((one, other) => this.#cost(one) - this.#cost(other))) {
        ran++
        const error = await this.#failure(test)
        if (error === undefined && !this.#endless()) continue
        failed = { test, error: error ?? new Error('goes on for ever') }
        break
      }
    } catch (error) {
      failed = { error } // the tests cannot even be loaded
    }
    this.#activate(undefined)
    // what it would have changed is known already
    if (!failed && shared.hitCount === 0 && this.#mutantsBefore > 0) throw new Error('the changed code was not reached')
    if (failed?.test && mutantActivation === 'runtime' && (await this.#failure(failed.test)) !== undefined) {
      this.#spoiled = true
      if (this.#mutantsBefore > 0) throw new Error('an earlier mutant has left something behind')
    }
    this.#mutantsBefore++
    if (!failed) return { status: 'survived', nrOfTests: ran }
    return {
      status: 'killed',
      killedBy: failed.test ? [failed.test.id] : [],
      failureMessage: String(failed.error),
      nrOfTests: ran,
    }
  }

  async dispose(): Promise<void> {
    await end()
  }

  async #load(): Promise<readonly Registered[]> {
    if (this.#tests) return this.#tests
    if (existsSync(times)) this.#took = new Map(JSON.parse(readFileSync(times, 'utf8')))
    const tests: Registered[] = []
    for (const file of globSync([...this.#files]).sort())
      tests.push(...(await testsOf(file, () => import(pathToFileURL(join(process.cwd(), file)).href))))
    this.#tests = tests
    return tests
  }

  async #failure(test: Registered): Promise<unknown> {
    const began = performance.now()
    this.#aside = undefined
    try {
      await test.run()
      return this.#aside
    } catch (error) {
      return error ?? new Error('failed')
    } finally {
      this.#took.set(test.id, Math.round(performance.now() - began))
    }
  }

  #cost(test: Registered): number {
    return this.#took.get(test.id) ?? 0
  }

  #endless(): boolean {
    return (shared.hitCount ?? 0) > (shared.hitLimit ?? Number.POSITIVE_INFINITY)
  }

  /** Programs that tests start of the same code have the change by their environment. */
  #activate(id: string | undefined): void {
    shared.activeMutant = id
    if (id === undefined) delete process.env[variable]
    else process.env[variable] = id
  }
}

export const strykerPlugins = [{ kind: 'TestRunner', name: 'in-process', injectableClass: InProcess }]
