/** The plans that end or turn what runs: down, stop, start, restart, kill, pause, rm; a stack file is not needed. */
import { Failure } from '../lib/failure.ts'
import type { Project } from '../model/project.ts'
import type { Observed } from './observed.ts'
import type { Plan } from './plan.ts'

/** By name alone when there is no stack file: then its containers' labels tell who depends on whom. */
export type Target = Project | { readonly name: string }

export interface ServicesOption {
  /** Undefined: all. */
  readonly services?: readonly string[]
}

export interface DownOptions extends ServicesOption {
  readonly removeOrphans?: boolean
  /** Named volumes too, except external ones. */
  readonly volumes?: boolean
  /** local: images without a name of their own; all. */
  readonly images?: 'local' | 'all'
  /** Seconds. */
  readonly timeout?: number
}

export function planDown(_target: Target, _observed: Observed, _options: DownOptions = {}): Plan {
  throw new Failure('internal', 'Not yet written')
}

export interface StopOptions extends ServicesOption {
  readonly timeout?: number
}

export function planStop(_target: Target, _observed: Observed, _options: StopOptions = {}): Plan {
  throw new Failure('internal', 'Not yet written')
}

/** Starts what exists and does not run, dependencies first, waiting for their conditions. */
export function planStart(_target: Target, _observed: Observed, _options: ServicesOption = {}): Plan {
  throw new Failure('internal', 'Not yet written')
}

export interface RestartOptions extends StopOptions {
  /** Not those that follow by `restart: true`. */
  readonly noDeps?: boolean
}

export function planRestart(_target: Target, _observed: Observed, _options: RestartOptions = {}): Plan {
  throw new Failure('internal', 'Not yet written')
}

export interface KillOptions extends ServicesOption {
  readonly signal?: string
  readonly removeOrphans?: boolean
}

export function planKill(_target: Target, _observed: Observed, _options: KillOptions = {}): Plan {
  throw new Failure('internal', 'Not yet written')
}

export function planPause(_target: Target, _observed: Observed, _options: ServicesOption = {}): Plan {
  throw new Failure('internal', 'Not yet written')
}

export function planUnpause(_target: Target, _observed: Observed, _options: ServicesOption = {}): Plan {
  throw new Failure('internal', 'Not yet written')
}

export interface RemoveOptions extends StopOptions {
  /** Running ones are stopped first; otherwise they are left alone. */
  readonly stop?: boolean
  /** Anonymous volumes too. */
  readonly volumes?: boolean
}

export function planRemove(_target: Target, _observed: Observed, _options: RemoveOptions = {}): Plan {
  throw new Failure('internal', 'Not yet written')
}
