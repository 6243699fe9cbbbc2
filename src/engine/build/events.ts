/** What a build tells while it runs: one stream, from which the classic lines and BuildKit's status are both made. */
import type { Lines } from '../dockerfile/source-failure.ts'
import type { BuildPlan, BuildWarning } from './dockerfile/plan.ts'

/** `id` is a step's digest ("sha256:…"), the same from its first event to its last. Times are milliseconds since 1970, with fractions. */
export type BuildEvent =
  /** Once, when the text of the Dockerfile has been read without an error, before any image of it is looked up. */
  | { readonly kind: 'read' }
  /** Once, when the Dockerfile has been understood, before the first of its steps. */
  | { readonly kind: 'plan'; readonly plan: BuildPlan }
  | {
      readonly kind: 'step'
      readonly id: string
      /** "[web 2/5] RUN npm ci", "[internal] load .dockerignore". */
      readonly name: string
      readonly inputs: readonly string[]
      readonly lines: Lines | undefined
    }
  | { readonly kind: 'started'; readonly id: string; readonly at: number }
  /** Taken from the cache. */
  | { readonly kind: 'cached'; readonly id: string; readonly at: number }
  /** Not taken from the cache, and why: "src/a.ts changed", "ARG V: 1 → 2", "never built". */
  | { readonly kind: 'missed'; readonly id: string; readonly reason: string }
  /** A command, in this container. */
  | { readonly kind: 'running'; readonly id: string; readonly container: string }
  | {
      readonly kind: 'output'
      readonly id: string
      readonly stream: 'stdout' | 'stderr'
      readonly data: Uint8Array
      readonly at: number
    }
  /** A part of a step that takes its time: a layer that is fetched, a context that is sent. */
  | {
      readonly kind: 'progress'
      readonly id: string
      readonly part: string
      readonly current: number
      /** 0 when nobody knows. */
      readonly total: number
      readonly at: number
      readonly done: boolean
    }
  | { readonly kind: 'completed'; readonly id: string; readonly at: number; readonly error: string | undefined }
  /** By which the same build again is known. */
  | { readonly kind: 'receipt'; readonly receipt: string }
  | { readonly kind: 'warning'; readonly warning: BuildWarning; readonly dockerfile: string }

export type OnBuildEvent = (event: BuildEvent) => void
