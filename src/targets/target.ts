/**
 * What a stack is brought up on, as whoever asks for it sees it: what it can of the format, what is there, what would be done, and who does
 * it. What a target may lack is an optional member. The engine of one machine has a road of its own behind this (targets/engine/converge.ts):
 * it also pulls, builds and attaches, which the others leave to registries and to themselves.
 */
import type { Performer } from '../apply/performer.ts'
import type { Hijacked } from '../client/client.ts'
import type { Problem } from '../lib/problems.ts'
import type { Project } from '../model/project.ts'
import type { PlannedOperation } from '../plan/operation.ts'
import type { Plan } from '../plan/plan.ts'
import type { Support, Use } from './support.ts'

export const targetNames = ['engine', 'swarm', 'kubernetes'] as const
export type TargetName = (typeof targetNames)[number]

/** What a target can of the format; no call is made for it. */
export interface TargetSupport {
  table(attributes: readonly string[]): readonly Support[]
  /** Attributes whose use is worth a word. */
  readonly doubtful: readonly string[]
  warnings(uses: readonly Use[]): readonly Problem[]
  /** Codes of what a reader warns of that is so on one machine only. */
  readonly untrue?: readonly string[]
}

/** What of a stack is to be how. */
export interface Wish {
  /** Undefined: all. What they depend on comes with them. */
  readonly services?: readonly string[] | undefined
  readonly scale?: Readonly<Record<string, number>>
  readonly removeOrphans?: boolean
  /** No word of what another file has brought up under the name. */
  readonly quietOrphans?: boolean
  /** What has not changed is made anew too. */
  readonly force?: boolean
  /** By image, of what its registry has been given for it. */
  readonly digests?: ReadonlyMap<string, string>
}

/** A replica, as `ps` shows it. */
export interface Part {
  readonly Name: string
  readonly Service: string
  readonly Image: string
  /** "node-1". */
  readonly Node: string
  /** "running", "failed": the target's own word. */
  readonly State: string
  /** With the reason, where it is not well. */
  readonly Status: string
  readonly Ports: string
  readonly ID: string
}

/** A port of a replica, and where it can be reached. */
export interface Reached {
  readonly service: string
  /** Of the replica, or of the service where any of them may answer. */
  readonly name: string
  readonly port: number
  readonly protocol: string
  readonly host: string
  readonly hostPort: number
}

export interface ForwardOptions {
  readonly services?: readonly string[] | undefined
  readonly signal: AbortSignal
  /** Told of a connection that could not be led on. */
  readonly onFailure: (text: string) => void
}

/** Ports of this machine, for as long as they are held. */
export interface Forwarded extends AsyncDisposable {
  readonly reached: readonly Reached[]
}

/** What the history keeps of what was seen, beside the model. */
export interface Kept {
  /** By the names that the stack uses. */
  readonly images: ReadonlyMap<string, { readonly id: string; readonly digest?: string }>
  /** sha256 of the files behind configs and secrets, by path. */
  readonly files: ReadonlyMap<string, string>
}

export interface LogOptions {
  readonly services?: readonly string[] | undefined
  readonly follow: boolean
  readonly tail: number | undefined
  /** Seconds since 1970, with a fraction. */
  readonly since: number | undefined
  readonly signal: AbortSignal
  /** Told of what cannot be had. */
  readonly onWarning?: (text: string) => void
}

export interface TargetLine {
  readonly service: string
  /** Of the replica. */
  readonly name: string
  readonly number: number | undefined
  readonly stream: 'stdout' | 'stderr'
  /** RFC 3339 with nanoseconds. */
  readonly time: string
  readonly text: string
}

export interface EventOptions {
  readonly services?: readonly string[] | undefined
  /** Seconds since 1970, with a fraction. */
  readonly since: number | undefined
  readonly until: number | undefined
  readonly signal: AbortSignal
}

/** As `events` prints it. */
export interface TargetEvent {
  readonly action: string
  readonly attributes: Readonly<Record<string, string>>
  readonly id: string
  readonly service: string
  /** RFC 3339 with nanoseconds. */
  readonly time: string
  readonly type: string
}

export interface ExecOptions {
  readonly service: string
  /** From 1; undefined: the first that runs. */
  readonly index: number | undefined
  readonly command: readonly string[]
  readonly tty: boolean
  readonly signal: AbortSignal
}

export interface ExecSession {
  readonly session: Hijacked
  readonly resize: (rows: number, columns: number) => Promise<unknown>
  /** The exit code, once the output has been read to its end. */
  readonly ended: () => Promise<number>
}

export interface ObserveOptions {
  readonly project?: Project
  readonly wish?: Wish
  /**
   * Where a target can be asked what it would make of a write. each: of all that would be written, as a plan wants it. shapes: of one write of those that
   * are alike, before they are done. Otherwise each.
   */
  readonly rehearsed?: 'each' | 'shapes'
  readonly signal: AbortSignal
}

export interface Target<O extends PlannedOperation = PlannedOperation, Seen = unknown> {
  readonly name: TargetName
  /** Which one of its kind: what is done alone on it, and whose history it is. */
  readonly place: string
  /** What is there of a project; with the project, also what its plan needs to know: digests of images, content of files, what the target says of the wish. */
  observe(name: string, options: ObserveOptions): Promise<Seen>
  /** Pure. @throws ProblemsFailure when it cannot be brought up */
  plan(project: Project, seen: Seen, wish: Wish): Plan<O>
  /** Pure; by name alone, so that it works without the file. */
  planDown(
    name: string,
    seen: Seen,
    options: { readonly services?: readonly string[] | undefined; readonly volumes?: boolean },
  ): Plan<O>
  performer(): Performer<O>
  kept(seen: Seen): Kept
  describe(seen: Seen): readonly Part[]
  /** Where ports are reached. */
  reached?(seen: Seen): readonly Reached[]
  /** Ports that are reached in the target alone, as ports of this machine. */
  readonly forward?: (name: string, options: ForwardOptions) => Promise<Forwarded>
  /** Undefined where a target cannot tell. */
  readonly logs?: (name: string, options: LogOptions) => AsyncIterable<TargetLine>
  readonly events?: (name: string, options: EventOptions) => AsyncIterable<TargetEvent>
  /** A command in a replica. */
  readonly exec?: (name: string, options: ExecOptions) => Promise<ExecSession>
  /** The objects that the stack is there, as text for other tools. @throws ProblemsFailure */
  readonly exported?: (project: Project, wish: Wish) => string
  /** Lets connections go. */
  close?(): void
}
