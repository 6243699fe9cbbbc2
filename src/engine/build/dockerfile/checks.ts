/** The build checks: BuildKit's rules by name, what `# check=` says of them, and the warnings that come of it. */

import { invalid, type Lines } from '../../dockerfile/source-failure.ts'
import { goQuote } from '../../dockerfile/text.ts'
import type { BuildWarning } from './plan.ts'

interface Rule {
  readonly description: string
  /** The last part of its page; undefined for one that has none. */
  readonly page: string | undefined
  readonly experimental?: boolean
}

const rules = {
  StageNameCasing: { description: 'Stage names should be lowercase', page: 'stage-name-casing' },
  FromAsCasing: {
    description: "The 'as' keyword should match the case of the 'from' keyword",
    page: 'from-as-casing',
  },
  NoEmptyContinuation: {
    description: 'Empty continuation lines will become errors in a future release',
    page: 'no-empty-continuation',
  },
  ConsistentInstructionCasing: {
    description: 'All commands within the Dockerfile should use the same casing (either upper or lower)',
    page: 'consistent-instruction-casing',
  },
  DuplicateStageName: { description: 'Stage names should be unique', page: 'duplicate-stage-name' },
  ReservedStageName: {
    description: 'Reserved words should not be used as stage names',
    page: 'reserved-stage-name',
  },
  JSONArgsRecommended: {
    description: 'JSON arguments recommended for ENTRYPOINT/CMD to prevent unintended behavior related to OS signals',
    page: 'json-args-recommended',
  },
  MaintainerDeprecated: {
    description: 'The MAINTAINER instruction is deprecated, use a label instead to define an image author',
    page: 'maintainer-deprecated',
  },
  UndefinedArgInFrom: { description: 'FROM command must use declared ARGs', page: 'undefined-arg-in-from' },
  WorkdirRelativePath: {
    description:
      'Relative workdir without an absolute workdir declared within the build can have unexpected results if the base image changes',
    page: 'workdir-relative-path',
  },
  UndefinedVar: { description: 'Variables should be defined before their use', page: 'undefined-var' },
  MultipleInstructionsDisallowed: {
    description: 'Multiple instructions of the same type should not be used in the same stage',
    page: 'multiple-instructions-disallowed',
  },
  LegacyKeyValueFormat: {
    description: 'Legacy key/value format with whitespace separator should not be used',
    page: 'legacy-key-value-format',
  },
  InvalidBaseImagePlatform: {
    description: 'Base image platform does not match expected target platform',
    page: undefined,
  },
  RedundantTargetPlatform: {
    description: 'Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior',
    page: 'redundant-target-platform',
  },
  SecretsUsedInArgOrEnv: {
    description: 'Sensitive data should not be used in the ARG or ENV commands',
    page: 'secrets-used-in-arg-or-env',
  },
  InvalidDefaultArgInFrom: {
    description: 'Default value for global ARG results in an empty or invalid base image name',
    page: 'invalid-default-arg-in-from',
  },
  FromPlatformFlagConstDisallowed: {
    description: 'FROM --platform flag should not use a constant value',
    page: 'from-platform-flag-const-disallowed',
  },
  CopyIgnoredFile: {
    description: 'Attempting to Copy file that is excluded by .dockerignore',
    page: 'copy-ignored-file',
    experimental: true,
  },
  InvalidDefinitionDescription: {
    description:
      'Comment for build stage or argument should follow the format: `# <arg/stage name> <description>`. If this is not intended to be a description comment, add an empty line or comment between the instruction and the comment.',
    page: 'invalid-definition-description',
    experimental: true,
  },
  ExposeProtoCasing: {
    description: 'Protocol in EXPOSE instruction should be lowercase',
    page: 'expose-proto-casing',
  },
  ExposeInvalidFormat: {
    description:
      'IP address and host-port mapping should not be used in EXPOSE instruction. This will become an error in a future release',
    page: 'expose-invalid-format',
  },
} as const satisfies Readonly<Record<string, Rule>>

export type RuleName = keyof typeof rules

interface CheckOptions {
  readonly skip: 'all' | readonly string[]
  readonly experimental: 'all' | readonly string[]
  /** A warning is an error. */
  readonly error: boolean
}

/** "skip=A,B;error=true;experimental=all". @throws Failure `invalid` in BuildKit's words. */
function parseCheckOptions(text: string): CheckOptions {
  const options: { -readonly [K in keyof CheckOptions]: CheckOptions[K] } = { skip: [], experimental: [], error: false }
  if (text.trim() === '') return options
  // what stands behind a third ";" belongs to the third part
  const [first = '', second, ...rest] = text.trim().split(';')
  for (const part of [first, second, rest.length > 0 ? rest.join(';') : undefined]) {
    if (part === undefined) continue
    const equals = part.indexOf('=')
    if (equals < 0) throw invalid(`invalid check option ${goQuote(part)}`)
    const key = part.slice(0, equals).trim()
    const value = part.slice(equals + 1).trim()
    const names = value === 'all' ? 'all' : value.split(',').map(name => name.trim())
    if (key === 'skip') options.skip = names
    else if (key === 'experimental') options.experimental = names
    else if (key === 'error') options.error = truth(value, part)
    else throw invalid(`invalid check option ${goQuote(key)}`)
  }
  return options
}

function truth(value: string, part: string): boolean {
  if (/^(?:1|t|T|TRUE|true|True)$/.test(value)) return true
  if (/^(?:0|f|F|FALSE|false|False)$/.test(value)) return false
  throw invalid(
    `failed to parse check option ${goQuote(part)}: strconv.ParseBool: parsing ${goQuote(value)}: invalid syntax`,
  )
}

/** Gathers what the rules find, as far as the options ask for them. */
export class Checks {
  readonly #options: CheckOptions
  readonly #warnings: BuildWarning[] = []

  /** @param options of `# check=`. @throws Failure `invalid`. */
  constructor(options: string) {
    this.#options = parseCheckOptions(options)
  }

  get warnings(): readonly BuildWarning[] {
    return this.#warnings
  }

  asksFor(name: RuleName): boolean {
    const { skip, experimental } = this.#options
    const rule: Rule = rules[name]
    if (rule.experimental) return experimental === 'all' || experimental.includes(name)
    return skip !== 'all' && !skip.includes(name)
  }

  report(name: RuleName, lines: Lines, message: string): void {
    if (!this.asksFor(name)) return
    const { description, page } = rules[name] as Rule
    const url = page === undefined ? '' : `https://docs.docker.com/go/dockerfile/rule/${page}/`
    this.#warnings.push({ rule: name, message, description, url, lines })
  }

  /** @throws Failure `invalid` when `error=true` was asked for and a rule did not hold. */
  end(): void {
    if (!this.#options.error || this.#warnings.length === 0) return
    const names = new Set(this.#warnings.map(({ rule }) => rule))
    throw invalid(`lint violation found for rules: ${[...names].join(', ')}`)
  }
}
