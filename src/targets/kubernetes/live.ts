/** An object as a cluster gives it back. */
import type { JsonMap, Kind } from './manifest.ts'

export interface Live {
  readonly apiVersion?: string
  readonly kind: Kind
  readonly metadata: LiveMetadata
  readonly spec?: JsonMap
  readonly status?: JsonMap
  /** False: nothing but its metadata was asked for. */
  readonly hasContent?: false
  readonly [member: string]: unknown
}

/** All of a kind that is a stack's. */
export interface Listed<T extends Live | LivePod = Live | LivePod> {
  readonly items: readonly T[]
  /** By which a watch goes on from there. */
  readonly version: string | undefined
}

export interface LiveMetadata {
  readonly name: string
  readonly namespace?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly generation?: number
  readonly creationTimestamp?: string
  readonly deletionTimestamp?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly ownerReferences?: readonly { readonly kind: string; readonly name: string; readonly uid: string }[]
  readonly managedFields?: readonly ManagedFields[]
}

/** Which fields somebody has last said (FieldsV1): members lead by "f:", entries of lists by "k:" and their keys, values by "v:". */
export interface ManagedFields {
  readonly manager?: string
  readonly operation?: string
  readonly subresource?: string
  readonly time?: string
  readonly fieldsV1?: FieldsV1
}

export interface FieldsV1 {
  readonly [key: string]: FieldsV1
}

/** Of the containers of a workload's pods. */
export function imagesIn({ spec }: Live): readonly string[] {
  const job = (spec?.['jobTemplate'] as JsonMap | undefined)?.['spec'] as JsonMap | undefined
  const template = (job ?? spec)?.['template'] as
    | { readonly spec?: { readonly containers?: readonly { readonly image?: string }[] } }
    | undefined
  return (template?.spec?.containers ?? []).flatMap(({ image }) => image ?? [])
}

export interface LivePod {
  readonly metadata: LiveMetadata
  readonly spec?: {
    readonly nodeName?: string
    readonly containers?: readonly {
      readonly name: string
      readonly image?: string
      readonly ports?: readonly {
        readonly containerPort: number
        readonly hostPort?: number
        readonly protocol?: string
      }[]
    }[]
  }
  readonly status?: {
    readonly phase?: string
    readonly reason?: string
    readonly message?: string
    readonly conditions?: readonly Condition[]
    readonly initContainerStatuses?: readonly ContainerStatus[]
    readonly containerStatuses?: readonly ContainerStatus[]
  }
}

export interface Condition {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
}

export interface ContainerStatus {
  readonly name: string
  readonly ready?: boolean
  readonly restartCount?: number
  readonly state?: ContainerState
  readonly lastState?: ContainerState
}

export interface ContainerState {
  readonly waiting?: { readonly reason?: string; readonly message?: string }
  readonly running?: { readonly startedAt?: string }
  readonly terminated?: { readonly exitCode: number; readonly reason?: string; readonly message?: string }
}
