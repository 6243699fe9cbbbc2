/** What each instruction of a Dockerfile says, nothing expanded yet. */
import type { HeredocText } from './heredoc.ts'
import type { Lines } from './source-failure.ts'
import type { Pair } from './statement-line.ts'

interface Common {
  /** As it is written: "RUN", "run". */
  readonly keyword: string
  /** The line, continuations joined, without blanks at its ends. */
  readonly text: string
  readonly lines: Lines
  /** The comments right above it, without "#". */
  readonly comments: readonly string[]
}

export type Instruction =
  | FromInstruction
  | ArgInstruction
  | EnvInstruction
  | LabelInstruction
  | RunInstruction
  | CommandInstruction
  | CopyInstruction
  | AddInstruction
  | TextInstruction<'workdir'>
  | TextInstruction<'user'>
  | TextInstruction<'stopsignal'>
  | TextInstruction<'maintainer'>
  | ListInstruction
  | HealthcheckInstruction
  | OnbuildInstruction

export interface FromInstruction extends Common {
  readonly name: 'from'
  readonly base: string
  /** In lower case; undefined without "AS". */
  readonly stage: string | undefined
  readonly platform: string | undefined
  /** "AS", the name behind it, as they are written. */
  readonly as: readonly [keyword: string, name: string] | undefined
}

export interface ArgInstruction extends Common {
  readonly name: 'arg'
  readonly args: readonly { readonly key: string; readonly value: string | undefined }[]
}

export interface EnvInstruction extends Common {
  readonly name: 'env'
  readonly pairs: readonly Pair[]
}

export interface LabelInstruction extends Common {
  readonly name: 'label'
  readonly pairs: readonly Pair[]
}

/** A command as a list that is run as it is, or as text for the shell. */
export interface CommandLine {
  readonly words: readonly string[]
  readonly shell: boolean
}

export interface RunInstruction extends Common {
  readonly name: 'run'
  readonly command: CommandLine
  readonly heredocs: readonly HeredocText[]
  /** Values of `--mount=`. */
  readonly mounts: readonly string[]
  readonly network: 'default' | 'none' | 'host'
  readonly security: 'sandbox' | 'insecure'
  readonly devices: readonly string[]
}

export interface CommandInstruction extends Common {
  readonly name: 'cmd' | 'entrypoint'
  readonly command: CommandLine
}

interface FilesCommon extends Common {
  /** Words, and heredocs at the place of theirs. */
  readonly sources: readonly string[]
  readonly files: readonly HeredocText[]
  readonly destination: string
  readonly chown: string | undefined
  readonly chmod: string | undefined
  readonly link: boolean
  readonly exclude: readonly string[]
}

export interface CopyInstruction extends FilesCommon {
  readonly name: 'copy'
  readonly from: string | undefined
  readonly parents: boolean
}

export interface AddInstruction extends FilesCommon {
  readonly name: 'add'
  readonly checksum: string | undefined
  readonly keepGitDir: boolean | undefined
  readonly unpack: boolean | undefined
}

export interface TextInstruction<Name extends string = 'workdir' | 'user' | 'stopsignal' | 'maintainer'>
  extends Common {
  readonly name: Name
  readonly value: string
}

export interface ListInstruction extends Common {
  readonly name: 'volume' | 'expose' | 'shell'
  readonly values: readonly string[]
}

/** Durations in nanoseconds, 0 for none. */
export interface Healthcheck {
  readonly test: readonly string[]
  readonly interval: number
  readonly timeout: number
  readonly startPeriod: number
  readonly startInterval: number
  readonly retries: number
}

export interface HealthcheckInstruction extends Common {
  readonly name: 'healthcheck'
  readonly healthcheck: Healthcheck
}

export interface OnbuildInstruction extends Common {
  readonly name: 'onbuild'
  /** Text of the instruction it triggers, with its heredocs. */
  readonly trigger: string
}

export type InstructionName = Instruction['name']
