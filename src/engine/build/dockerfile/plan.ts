/** What a Dockerfile means once its variables are known: the stages that the target needs, each a list of steps with nothing left to look up. */
import type { Lines } from '../../dockerfile/source-failure.ts'
import type { Image, ImageConfig } from '../../images/image.ts'

export interface BuildPlan {
  /** Those the target needs, each after the ones it needs itself; the target is the last. */
  readonly stages: readonly Stage[]
  readonly target: Stage
  /** Names that an ARG declares: above the stages, and in all up to the target, triggers among them. */
  readonly declared: ReadonlySet<string>
  readonly warnings: readonly BuildWarning[]
}

export interface Stage {
  /** Its place in the Dockerfile, from 0. */
  readonly index: number
  /** As it is shown: "web", "stage-1" of one without a name, "" where it is the only one. */
  readonly name: string
  /** Lines of its FROM. */
  readonly lines: Lines
  readonly base: Input
  /** Its FROM as it is written; of what no FROM stands for, what it begins from. */
  readonly text: string
  /** As the step that fetches its base is shown: "[web 1/5] FROM …"; undefined for one that fetches nothing. */
  readonly baseLabel: string | undefined
  /** Triggers (ONBUILD) of its base come first. */
  readonly steps: readonly Step[]
  /** Of an image that ends here. */
  readonly config: ImageConfig
  readonly author: string | undefined
}

/** Where files are taken from. */
export type Input =
  | { readonly kind: 'scratch' }
  | { readonly kind: 'image'; readonly reference: string; readonly image: Image }
  | { readonly kind: 'stage'; readonly stage: Stage }
  /** Of the build's client: "context" for the one the build was called with, or the key of a named context that holds files. */
  | { readonly kind: 'context'; readonly name: string }

/** A rule of the build checks that did not hold: BuildKit's name of it. */
export interface BuildWarning {
  readonly rule: string
  readonly message: string
  /** What the rule asks for, of every place where it does not hold. */
  readonly description: string
  /** "" for a rule that has no page. */
  readonly url: string
  readonly lines: Lines
}

interface StepCommon {
  /** One line, as it is shown: "[web 2/5] RUN npm ci"; what only changes the configuration is not counted: "ENV A=1". */
  readonly label: string
  readonly lines: Lines
  /** `created_by` of the image's history; undefined leaves none there (ONBUILD). */
  readonly createdBy: string | undefined
}

export type Step = RunStep | CopyStep | AddStep | WorkdirStep | ConfigStep

/** Only the configuration changes, which `Stage.config` has: ENV, CMD, LABEL, … */
export type ConfigStep = StepCommon & { readonly kind: 'config' }

/** Makes a folder where there is none; never "/", which is a ConfigStep. */
export type WorkdirStep = StepCommon & {
  readonly kind: 'workdir'
  /** Absolute, perhaps with a slash at its end or "..". */
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
  /** KEY=value for proxies that the build was given: for the command, not for the cache. */
  readonly proxyEnv: readonly string[]
  /** "/" where nothing says other. */
  readonly cwd: string
  readonly user: string
  readonly mounts: readonly RunMount[]
  /** "default" is whatever the build was asked for. */
  readonly network: 'default' | 'none' | 'host'
  readonly security: 'sandbox' | 'insecure'
  /** Build arguments in scope, as they are declared, for telling why a step is no longer cached. */
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
      /** Filled from it when it is new; scratch for nothing. */
      readonly from: Input
      readonly source: string
      readonly readonly: boolean
      readonly sharing: 'shared' | 'private' | 'locked'
      readonly mode: number
      readonly uid: number
      readonly gid: number
    }
  | { readonly kind: 'tmpfs'; readonly target: string /** Bytes. */; readonly size: number | undefined }
  /** Read-only, mode 0755: a heredoc that begins with "#!". */
  | { readonly kind: 'files'; readonly target: string; readonly files: readonly Heredoc[] }
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
      /** SSH_AUTH_SOCK of the first one is in the step's environment. */
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
  /** "755", "0644", "u=rwX,go=rX"; checked. */
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
  /** As written, expanded. */
  readonly sources: readonly string[]
  readonly parents: boolean
}

export type AddStep = FilesCommon & {
  readonly kind: 'add'
  /** In the order written: paths of the context (with wildcards), or what is fetched. */
  readonly sources: readonly AddSource[]
  /** Undefined: archives that are local are unpacked, fetched ones are not. */
  readonly unpack: boolean | undefined
}

export type AddSource =
  | { readonly kind: 'path'; readonly path: string }
  /** The checksum is a digest: "sha256:…". */
  | { readonly kind: 'http'; readonly url: string; readonly checksum: string | undefined }
  | {
      readonly kind: 'git'
      readonly remote: string
      readonly ref: string | undefined
      readonly subdir: string | undefined
      /** A commit, or the beginning of its name. */
      readonly checksum: string | undefined
      readonly keepGitDir: boolean
      readonly submodules: boolean
    }
