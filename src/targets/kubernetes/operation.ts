/** What can be done in a cluster: one write each, or one wait, every one with its cause. */
import type { Change } from '../../plan/change.ts'
import type { Kind, Manifest, WorkloadKind } from './manifest.ts'

/** started: as many pods are ready as are wanted, of a job one runs. completed: the job has done its work. */
export const waitConditions = ['started', 'completed'] as const
export type WaitCondition = (typeof waitConditions)[number]

interface Thing {
  readonly cause: string
  /** Of the object. */
  readonly name: string
  /** Its key in the stack; undefined for what several may use. */
  readonly service?: string
}

/** What is written. */
interface Written extends Thing {
  readonly manifest: Manifest
  /** Where in the stack it comes from: "compose.yaml:4:3 services.web". */
  readonly place?: string
}

export type ClusterOperation =
  | ({
      readonly kind: 'create-object' | 'update-object'
      readonly changes?: readonly Change[]
    } & Written)
  /** New pods of what has not changed. */
  | ({
      readonly kind: 'restart-object'
      /** Another one each time. */
      readonly mark: string
    } & Written)
  /** Removed and made anew. */
  | ({
      readonly kind: 'replace-object'
      readonly uid: string | undefined
      readonly changes: readonly Change[]
    } & Written)
  | ({ readonly kind: 'delete-object'; readonly object: Kind; readonly uid: string | undefined } & Thing)
  | ({
      readonly kind: 'wait-workload'
      readonly object: WorkloadKind
      readonly condition: WaitCondition
      /** Of the pods that are meant; those of another version may fail as they like. */
      readonly version: string | undefined
      readonly required: boolean
      readonly service: string
      /** As its objects' label has it. */
      readonly stack: string
    } & Thing)
  /** Until the last pod of a stack, or of a service that goes, has ended. */
  | ({ readonly kind: 'wait-gone'; readonly labels: Readonly<Record<string, string>> } & Thing)
