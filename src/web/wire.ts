/** What the server and its pages tell one another: plain JSON, of one version, since both come from one installation. */
import type { Change } from '../plan/change.ts'
import type { PlanJson } from '../plan/print.ts'
import type { StackRow } from '../view/stacks.ts'
import type { UsageRow } from '../view/usage.ts'

/** A stack on the board. */
export interface StackState extends StackRow {
  readonly held?: HeldState
  /** What is being done to it from here: a job's id. */
  readonly job?: string
  readonly drift?: Drift
}

/** What bringing it up would change. */
export interface Drift {
  readonly changes: number
  /** Why it cannot be told. */
  readonly error?: string
}

export interface HeldState {
  readonly state: string
  readonly reasons: readonly string[]
  readonly error?: string
  /** Its files are followed. */
  readonly watched: boolean
}

/** What a person should look at first. */
export interface Trouble {
  /** Of the container. */
  readonly id: string
  readonly stack: string
  readonly service: string
  readonly container: string
  readonly kind: 'failed' | 'unhealthy' | 'restarting' | 'memory' | 'waiting'
  readonly cause: string
  /** Its last lines. */
  readonly lines: readonly string[]
}

export interface EngineState {
  readonly host: string
  /** Why it cannot be reached; absent when it can. */
  readonly error?: string
}

/** Of the topic "board": all at first, then what has changed. */
export interface BoardMessage {
  readonly engine?: EngineState
  readonly stacks?: Patch<StackState>
  readonly troubles?: Patch<Trouble>
}

/** `whole`: what was known before counts no longer; `gone`: keys. */
export interface Patch<T> {
  readonly whole?: boolean
  readonly set: readonly T[]
  readonly gone: readonly string[]
}

/** What a page asks for as long as it is shown. */
export type Opening =
  | { readonly topic: 'board' }
  | { readonly topic: 'events'; readonly stack: string }
  | { readonly topic: 'job'; readonly job: string }
  | { readonly topic: 'stats'; readonly stack: string }
  | { readonly topic: 'builds'; readonly stack: string }
  | { readonly topic: 'build'; readonly stack: string; readonly ref: string }
  | ({ readonly topic: 'logs'; readonly stack: string } & LogWish)

export interface LogWish {
  readonly services?: readonly string[]
  readonly grep?: string
  readonly level?: string
  /** Milliseconds since 1970. */
  readonly since?: number
  readonly until?: number
  /** Go on with what comes. */
  readonly follow: boolean
}

/** From a page: begin or end. */
export type ToServer = { readonly open: number; readonly what: Opening } | { readonly close: number }

/** To a page: something of an opening, or its end. */
export type ToPage =
  | { readonly on: number; readonly data: unknown }
  | { readonly on: number; readonly end: true; readonly error?: string }

export interface LogEntry {
  /** Milliseconds since 1970; undefined when the engine does not say. */
  readonly time: number | undefined
  readonly service: string
  readonly container: string
  readonly level: string
  readonly stream: 'stdout' | 'stderr'
  readonly text: string
}

/** Of the topic "logs". */
export interface LogMessage {
  readonly lines: readonly LogEntry[]
  /** Lines that were left out: there were more than anybody reads. */
  readonly left?: number
  /** A container ended, or cannot be read. */
  readonly notes?: readonly { readonly container: string; readonly text: string }[]
}

/** Of the topic "stats": one a container and second. */
export interface Usage extends UsageRow {
  readonly container: string
  readonly service: string
}

/** Of the topic "events". */
export interface TimelineEntry {
  /** Milliseconds since 1970. */
  readonly time: number
  readonly kind: 'start' | 'end' | 'bad' | 'health' | 'change' | 'apply' | 'repair'
  readonly service: string
  readonly container: string
  readonly text: string
  readonly detail?: string
}

export interface PlanWish {
  readonly services?: readonly string[]
  readonly build?: boolean
  readonly pull?: boolean
  readonly recreate?: boolean
  readonly removeOrphans?: boolean
  /** Back to this apply of the history. */
  readonly to?: number
}

export interface PlanPreview {
  /** Of this plan, made of these files and of what runs: what is agreed to when it is applied. */
  readonly id: string
  readonly plan: PlanJson
  /** Warnings of the reading. */
  readonly said: readonly string[]
  /** Services that are made anew when a build or a pull of the plan brings another image. */
  readonly followers: readonly string[]
}

/** Of the topic "job". */
export type JobMessage =
  | { readonly kind: 'step'; readonly step: JobStep }
  | { readonly kind: 'said'; readonly text: string }
  | { readonly kind: 'ended'; readonly error?: string; readonly hint?: string }

export interface JobStep {
  readonly node: number
  readonly operation: string
  readonly name: string
  readonly service?: string
  readonly state: 'running' | 'done' | 'failed' | 'skipped'
  readonly text?: string
  readonly milliseconds?: number
}

/** Of the topic "builds", which begins with all there are. */
export interface BuildRow {
  readonly ref: string
  readonly image: string
  /** Milliseconds since 1970. */
  readonly begun: number
  readonly ended?: number
  readonly error?: string
  /** Both 0 while it is under way. */
  readonly steps: number
  readonly cached: number
}

/** Of the topic "build". */
export interface BuildStep {
  /** A digest. */
  readonly step: string
  readonly name: string
  readonly state: 'waiting' | 'running' | 'cached' | 'done' | 'failed'
  /** Why it is not cached. */
  readonly missed?: string
  readonly milliseconds?: number
  /** The end of what it has printed. */
  readonly output?: string
  readonly error?: string
}

export interface JobRow {
  readonly id: string
  readonly stack: string
  readonly title: string
  /** Milliseconds since 1970. */
  readonly begun: number
  readonly ended?: number
  readonly error?: string
}

/** What the files of a stack say, as far as a page draws it. */
export interface StackModel {
  readonly services: readonly ModelService[]
  readonly networks: readonly { readonly key: string; readonly name: string; readonly external: boolean }[]
  readonly volumes: readonly { readonly key: string; readonly name: string; readonly external: boolean }[]
  /** By what cannot be read, or is warned of. */
  readonly problems: readonly ProblemRow[]
  readonly findings: readonly FindingRow[]
  /** All that is given, whichever of its files gives it. */
  readonly names: Readonly<Record<'services' | 'networks' | 'volumes' | 'configs' | 'secrets', readonly string[]>>
  /** Files that were read for it, absolute. */
  readonly files: readonly string[]
}

export interface ModelService {
  readonly name: string
  readonly image?: string
  readonly build: boolean
  readonly replicas: number
  readonly needs: readonly {
    readonly service: string
    readonly condition: string
    readonly required: boolean
    readonly restart: boolean
  }[]
  readonly networks: readonly string[]
  readonly volumes: readonly { readonly key: string; readonly target: string }[]
  readonly ports: readonly {
    readonly published: string
    readonly target: number
    readonly protocol: string
    readonly host: string
  }[]
  readonly profile?: string
}

export interface ProblemRow {
  readonly severity: 'error' | 'warning'
  /** Absolute; undefined: of no file. */
  readonly file?: string
  readonly line?: number
  readonly column?: number
  readonly path: string
  readonly message: string
  readonly hint?: string
}

export interface FindingRow {
  readonly service: string
  readonly severity: string
  readonly rule: string
  readonly grants: string
  readonly risk: string
  readonly change: string
}

export interface FileRow {
  /** Absolute. */
  readonly path: string
  /** As it is shown: below the stack's folder. */
  readonly name: string
  readonly kind: 'file' | 'folder'
  readonly bytes: number
  /** The stack is made of it. */
  readonly named: boolean
}

export interface FileText {
  readonly path: string
  readonly text: string
  /** Of its content: what a later writing goes by. */
  readonly version: string
}

/** Where a name is given; both count from 1. */
export interface DefinitionPlace {
  /** Absolute. */
  readonly file: string
  readonly line: number
  readonly column: number
}

export interface HistoryRow {
  readonly number: number
  readonly command: string
  readonly user: string
  readonly begun: string
  readonly ended?: string
  readonly outcome: string
  readonly failures: readonly string[]
  readonly what: string
  readonly images: Readonly<Record<string, string>>
  /** It can be gone back to. */
  readonly hasModel: boolean
}

export interface HistoryDiff {
  readonly from: number
  readonly to: number
  readonly differences: readonly {
    readonly kind: string
    readonly name: string
    readonly action: 'add' | 'change' | 'remove'
    readonly changes: readonly Change[]
  }[]
  /** The model of each as YAML, values that look secret by a hash. */
  readonly texts: readonly [string, string]
}

export interface ErrorAnswer {
  readonly error: string
  readonly hint?: string
  readonly problems?: readonly ProblemRow[]
}

export interface About {
  readonly engine: string
  readonly readOnly: boolean
  readonly version: string
}
