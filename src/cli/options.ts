/** What an option is: how it is written, what it takes, what it does; parsing, help and completion go by its table. */
import { Failure } from '../lib/failure.ts'
import { targetNames } from '../targets/target.ts'

export interface OptionSpec {
  readonly kind: 'flag' | 'text' | 'number' | 'list'
  readonly short?: string
  /** Other names people know it by. */
  readonly also?: readonly string[]
  /** A flag that is on unless it is switched off: `--name=false`. */
  readonly on?: true
  /** A flag of which it matters whether it was given: undefined where it was not. */
  readonly either?: true
  /** What the value is called in the help: `FILE`. */
  readonly value?: string
  readonly choices?: readonly string[]
  /** Values for completion that are not all there are. */
  readonly suggested?: readonly string[]
  /** A value that is none of the choices is warned of, where Compose goes on too: one is left out, of a list it is kept. */
  readonly lenient?: true
  /** What the value names, for completion. */
  readonly names?: 'file' | 'folder' | 'service'
  /** The variable that stands for the option where it is not given. */
  readonly variable?: string
  readonly about: string
}

export type OptionTable = Readonly<Record<string, OptionSpec>>

type Value<Spec extends OptionSpec> = Spec['kind'] extends 'flag'
  ? Spec extends { readonly either: true }
    ? boolean | undefined
    : boolean
  : Spec['kind'] extends 'list'
    ? readonly string[]
    : Spec['kind'] extends 'number'
      ? number | undefined
      : string | undefined

/** What a table of options gives once parsed: flags false, lists empty, the rest undefined when not given. */
export type Values<Table extends OptionTable> = string extends keyof Table
  ? Readonly<Record<string, unknown>>
  : { readonly [Name in keyof Table]: Value<Table[Name]> }

/** The options every command takes, before or after its name. */
export const globalOptions = {
  file: {
    kind: 'list',
    short: 'f',
    value: 'FILE',
    names: 'file',
    about: 'Stack file; repeat to merge several, - for stdin',
  },
  'project-name': {
    kind: 'text',
    short: 'p',
    value: 'NAME',
    about: 'Project name (default: name: of the file, its folder)',
  },
  'project-directory': {
    kind: 'text',
    also: ['workdir'],
    value: 'DIR',
    names: 'folder',
    about: 'Folder that relative paths start from',
  },
  'env-file': { kind: 'list', value: 'FILE', names: 'file', about: 'Read variables from FILE instead of .env' },
  profile: { kind: 'list', value: 'NAME', about: 'Enable a profile; repeat for several, * for all' },
  host: { kind: 'text', short: 'H', value: 'URL', about: 'Engine to talk to: unix:///path or tcp://host:port' },
  target: {
    kind: 'text',
    value: 'TARGET',
    suggested: targetNames,
    variable: 'TSCOMPOSE_TARGET',
    about:
      'What it runs on: engine (one machine, default), swarm, kubernetes, or a name of "target add"; "x-target" in the stack says it too',
  },
  context: {
    kind: 'text',
    value: 'NAME',
    about: 'Context of the kubeconfig, for the target kubernetes (default: its current one)',
  },
  namespace: { kind: 'text', value: 'NAME', about: 'Namespace of the cluster (default: that of the context)' },
  parallel: {
    kind: 'number',
    value: 'N',
    variable: 'COMPOSE_PARALLEL_LIMIT',
    about: 'At most N operations at a time (1 to 999)',
  },
  progress: {
    kind: 'text',
    value: 'STYLE',
    choices: ['auto', 'tty', 'plain', 'json', 'quiet'],
    variable: 'COMPOSE_PROGRESS',
    about: 'How progress is shown',
  },
  annotations: {
    kind: 'text',
    value: 'STYLE',
    choices: ['github', 'gitlab'],
    variable: 'TSCOMPOSE_ANNOTATIONS',
    about: 'Mark errors and fold output for the log of a CI',
  },
  ansi: {
    kind: 'text',
    value: 'WHEN',
    choices: ['auto', 'always', 'never'],
    lenient: true,
    variable: 'COMPOSE_ANSI',
    about: 'When to use colours',
  },
  'no-ansi': { kind: 'flag', about: 'The same as --ansi never' },
  strict: { kind: 'flag', about: 'Refuse what this runtime cannot honour instead of warning' },
  'dry-run': { kind: 'flag', about: 'Show what would be done and change nothing' },
  verbose: { kind: 'flag', about: 'Show the causes behind an error' },
  help: { kind: 'flag', short: 'h', about: 'Show this help' },
  'all-resources': { kind: 'flag', about: 'Keep networks, volumes, secrets and configs that no service uses' },
  compatibility: {
    kind: 'flag',
    about: 'Names as Compose 1 made them, and no defaults in config',
  },
} as const satisfies OptionTable

/** Those that stand before a command only. */
export const rootOptions = {
  ...globalOptions,
  version: { kind: 'flag', short: 'v', about: 'Show the version' },
} as const satisfies OptionTable

export type GlobalValues = Values<typeof globalOptions>

/** A mistake in the command line, with a pointer to what would be right. */
export function usage(message: string, hint?: string): Failure {
  return new Failure('invalid', message, hint === undefined ? {} : { hint })
}
