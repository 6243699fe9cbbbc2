/** What holds at one place of a stage: its variables and arguments, the configuration so far, and what is found odd on the way. */
import type { CommandInstruction, HealthcheckInstruction, Instruction } from '../../dockerfile/instruction.ts'
import type { Lines } from '../../dockerfile/source-failure.ts'
import { nearest } from '../../dockerfile/suggest.ts'
import { type Expanded, expandWord, type WordOptions } from '../../dockerfile/words.ts'
import { type ConfigState, type Expander, nameOf } from '../../images/config-instruction.ts'
import type { ImageConfig } from '../../images/image.ts'
import type { Platform } from '../../images/platform.ts'
import type { GlobalArguments } from './arguments.ts'
import type { Checks } from './checks.ts'

/** The same for all stages of a build. */
export interface Surroundings {
  readonly escapeSign: string
  readonly globals: GlobalArguments
  /** Build arguments that were given. */
  readonly given: ReadonlyMap<string, string>
  readonly proxyEnv: readonly string[]
  readonly checks: Checks
}

/** Arguments of these names say something to the builder, and are no variables of a command. */
const notForCommands = new Set(['BUILDKIT_SBOM_SCAN_CONTEXT', 'BUILDKIT_SBOM_SCAN_STAGE'])

export class Scope implements ConfigState {
  readonly around: Surroundings
  readonly config: ImageConfig
  readonly platform: Platform
  author: string | undefined
  commandSet = false
  /** WORKDIR stood in this Dockerfile. */
  workdirSet: boolean
  /** Declared so far, with their values; undefined for one without. */
  readonly arguments: Map<string, string | undefined>
  readonly #variables: Map<string, string>
  readonly #seen = new Map<string, Lines>()

  constructor(around: Surroundings, base: Scope | undefined, start: Pick<Scope, 'config' | 'platform' | 'author'>) {
    this.around = around
    this.config = start.config
    this.platform = start.platform
    this.author = start.author
    this.workdirSet = base?.workdirSet ?? false
    this.arguments = new Map(base?.arguments)
    this.#variables = new Map(base ? base.#variables : [])
    for (const variable of this.config.Env ?? []) {
      const name = nameOf(variable)
      this.setVariable(name, variable.slice(name.length + 1))
    }
  }

  /** Absolute. */
  get cwd(): string {
    return this.config.WorkingDir || '/'
  }

  get user(): string {
    return this.config.User ?? ''
  }

  /** KEY=value, the one set last at the end. */
  get env(): readonly string[] {
    return [...this.#variables].map(pair => pair.join('='))
  }

  variable(name: string): string | undefined {
    return this.#variables.get(name)
  }

  setVariable(name: string, value: string): void {
    this.#variables.delete(name)
    this.#variables.set(name, value)
  }

  declare(name: string, value: string | undefined): void {
    if (value !== undefined && !notForCommands.has(name)) this.setVariable(name, value)
    this.arguments.set(name, value)
  }

  /** Reports variables that are defined nowhere, at the lines of the instruction. */
  expander(lines: Lines, options: Partial<WordOptions> = {}): Expander {
    const expand = (word: string) => {
      const expanded = this.expand(word, options)
      this.#reportUnset(expanded.unset, lines)
      return expanded
    }
    return { word: word => expand(word).text, words: word => this.expand(word, options).words }
  }

  /** @param over values that hide those of the stage. */
  expand(word: string, options: Partial<WordOptions> = {}, over?: ReadonlyMap<string, string>): Expanded {
    const lookUp = (name: string) => over?.get(name) ?? this.#variables.get(name)
    return expandWord(word, lookUp, { escapeSign: this.around.escapeSign, ...options })
  }

  #reportUnset(unset: ReadonlySet<string>, lines: Lines): void {
    for (const name of unset) {
      if (this.arguments.has(name) || notForCommands.has(name)) continue
      const near = nearest(name, [...this.#variables.keys()])
      const hint = near === undefined ? '' : ` (did you mean $${near}?)`
      this.around.checks.report('UndefinedVar', lines, `Usage of undefined variable '$${name}'${hint}`)
    }
  }

  /** Of CMD, ENTRYPOINT and HEALTHCHECK only the last one counts. */
  reportTwice({ name, keyword, lines }: CommandInstruction | HealthcheckInstruction): void {
    const before = this.#seen.get(name)
    if (before) {
      const message = `Multiple ${keyword} instructions should not be used in the same stage because only the last one will be used`
      this.around.checks.report('MultipleInstructionsDisallowed', before, message)
    }
    this.#seen.set(name, lines)
  }

  reportSecret(instruction: Instruction, kind: 'ARG' | 'ENV', key: string): void {
    const words = /(?:_|^)(?:apikey|auth|credentials?|key|password|pword|passwd|secret|token)(?:_|$)/i
    if (!words.test(key) || /(?:_|^)public(?:_|$)/i.test(key)) return
    const message = `Do not use ARG or ENV instructions for sensitive data (${kind} "${key}")`
    this.around.checks.report('SecretsUsedInArgOrEnv', instruction.lines, message)
  }
}
