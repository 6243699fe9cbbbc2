/** What the web view is given by whoever starts it: the roads of the command line, by which stacks are read and changed. */
import type { Client } from '../client/client.ts'
import type { Problem } from '../lib/problems.ts'
import type { Project } from '../model/project.ts'
import type { PlanJson } from '../plan/print.ts'
import type { JobMessage, PlanWish } from './wire.ts'

/** Where a stack comes from. */
export interface StackPlace {
  readonly name: string
  readonly directory: string
  readonly files: readonly string[]
}

export interface ReadStack {
  /** Undefined when its files cannot be used: `problems` says why. */
  readonly project: Project | undefined
  readonly problems: readonly Problem[]
  /** What was read, or looked for in vain; absolute. */
  readonly files: readonly string[]
}

export interface Foretold {
  readonly id: string
  readonly plan: PlanJson
  readonly said: readonly string[]
  /** Services that are made anew when a build or a pull of the plan brings another image. */
  readonly followers: readonly string[]
  /** What it was made from, or was looked for in vain; absolute. */
  readonly files: readonly string[]
}

export const verbs = ['start', 'stop', 'restart', 'pause', 'unpause', 'down'] as const
export type Verb = (typeof verbs)[number]

export interface Roads {
  readonly client: Client
  readonly env: Readonly<Record<string, string | undefined>>
  /** The stack of the folder that the view was started in. */
  readonly here: StackPlace | undefined
  /** The JSON Schema of stack files, for completion. */
  schema(): Promise<object>
  /** `unsaved`: what an editor holds of files, by absolute path. */
  read(place: StackPlace, unsaved?: ReadonlyMap<string, string>): Promise<ReadStack>
  /** What an up, or a way back, would do. */
  foresee(place: StackPlace, wish: PlanWish): Promise<Foretold>
  /** Carries out the plan that `id` names. @throws Failure `conflict` when it would be another by now */
  apply(place: StackPlace, wish: PlanWish & { readonly id: string }, tell: (message: JobMessage) => void): Promise<void>
  turn(
    place: StackPlace,
    wish: { readonly verb: Verb; readonly services: readonly string[] },
    tell: (message: JobMessage) => void,
  ): Promise<void>
}
