/** What a Dockerfile means once its variables are known: the stages that the target needs, each a list of steps with nothing left to look up. */
import type { Image, ImageConfig } from '../../images/image.ts'

export interface BuildPlan {
  /** Those the target needs, each after the ones it needs itself; the target is the last. */
  readonly stages: readonly Stage[]
  readonly target: Stage
  readonly warnings: readonly BuildWarning[]
}

export interface Stage {
  /** Its place in the Dockerfile, from 0. */
  readonly index: number
  /** As it is shown: "web", or "stage-1" of one without a name. */
  readonly name: string
  readonly base: Base
  /** Triggers (ONBUILD) of its base come first. */
  readonly steps: readonly Step[]
  /** Of an image that ends here. */
  readonly config: ImageConfig
  readonly author: string | undefined
}

export type Base = { readonly kind: 'scratch' } | Input

/** Where files are taken from. */
export type Input =
  | { readonly kind: 'image'; readonly reference: string; readonly image: Image }
  | { readonly kind: 'stage'; readonly stage: Stage }
  /** Of the build's client: by its name, or "context" for the one the build was called with. */
  | { readonly kind: 'context'; readonly name: string }

/** Lines from 1, the last included. */
export interface Lines {
  readonly first: number
  readonly last: number
}

/** A rule of the build checks that did not hold: BuildKit's name of it. */
export interface BuildWarning {
  readonly rule: string
  readonly message: string
  readonly url: string
  readonly lines: Lines
}

interface StepCommon {
  /** One line, as it is shown: "RUN npm ci". */
  readonly text: string
  readonly lines: Lines
  /** `created_by` of the image's history. */
  readonly createdBy: string
}

export type Step = RunStep | CopyStep | AddStep | WorkdirStep | ConfigStep

/** Only the configuration changes, which `Stage.config` has: ENV, CMD, LABEL, … */
export type ConfigStep = StepCommon & { readonly kind: 'config' }

/** Makes a folder where there is none. */
export type WorkdirStep = StepCommon & {
  readonly kind: 'workdir'
  /** Absolute. */
  readonly path: string
  /** Whoever USER says, by name or number; "" is root. */
  readonly user: string
}

export type RunStep = StepCommon & {
  readonly kind: 'run'
  /** With the shell before it where the instruction was in shell form. */
  readonly args: readonly string[]
  /** KEY=value: ENV, and ARG of this place. */
  readonly env: readonly string[]
  readonly cwd: string
  readonly user: string
  readonly mounts: readonly RunMount[]
  readonly network: 'default' | 'none' | 'host'
  readonly security: 'sandbox' | 'insecure'
  /** Build arguments in scope that had an effect, for telling why a step is no longer cached. */
  readonly buildArgs: ReadonlyMap<string, string>
}

export type RunMount =
  | {
      readonly kind: 'bind'
      /** Absolute. */
      readonly target: string
      readonly from: Input
      /** Inside it, absolute. */
      readonly source: string
      /** What is written is thrown away after the step. */
      readonly writable: boolean
    }
  | {
      readonly kind: 'cache'
      readonly target: string
      readonly id: string
      /** Filled from it when it is new. */
      readonly from: Input | undefined
      readonly source: string
      readonly readonly: boolean
      readonly sharing: 'shared' | 'private' | 'locked'
      readonly mode: number
      readonly uid: number
      readonly gid: number
    }
  | { readonly kind: 'tmpfs'; readonly target: string /** Bytes. */; readonly size: number | undefined }
  | {
      readonly kind: 'secret'
      readonly id: string
      /** A file; undefined where only a variable is wanted. */
      readonly target: string | undefined
      readonly variable: string | undefined
      readonly required: boolean
      readonly mode: number
      readonly uid: number
      readonly gid: number
    }
  | {
      readonly kind: 'ssh'
      readonly id: string
      readonly target: string
      readonly required: boolean
      readonly mode: number
      readonly uid: number
      readonly gid: number
    }

/** A file that stands in the Dockerfile itself. */
export interface Heredoc {
  readonly name: string
  readonly content: string
}

interface FilesCommon extends StepCommon {
  /** Absolute; ends with "/" when it was written so, or is meant as a folder. */
  readonly destination: string
  /** As written, expanded: names or numbers, looked up in the files it is copied onto. */
  readonly chown: string | undefined
  /** "755", "0644", "u=rwX,go=rX". */
  readonly chmod: string | undefined
  readonly link: boolean
  readonly exclude: readonly string[]
  readonly heredocs: readonly Heredoc[]
  /** WORKDIR at this place. */
  readonly cwd: string
}

export type CopyStep = FilesCommon & {
  readonly kind: 'copy'
  readonly from: Input
  readonly sources: readonly string[]
  readonly parents: boolean
}

export type AddStep = FilesCommon & {
  readonly kind: 'add'
  /** In the order written: paths of the context (with wildcards), or what is fetched. */
  readonly sources: readonly AddSource[]
  /** Undefined: archives that are local are unpacked, fetched ones are not. */
  readonly unpack: boolean | undefined
  readonly keepGitDir: boolean
}

export type AddSource =
  | { readonly kind: 'path'; readonly path: string; readonly checksum: string | undefined }
  | { readonly kind: 'http'; readonly url: string; readonly checksum: string | undefined }
  | {
      readonly kind: 'git'
      readonly remote: string
      readonly ref: string | undefined
      readonly subdir: string | undefined
      readonly checksum: string | undefined
    }
