/** An object as a cluster is told of it, and what all of ours have in common. */
import { given } from '../members.ts'

export type Json = string | number | boolean | null | readonly Json[] | JsonMap
export interface JsonMap {
  readonly [key: string]: Json | undefined
}

export interface Metadata {
  readonly name: string
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>> | undefined
}

export interface Manifest {
  readonly apiVersion: string
  readonly kind: Kind
  readonly metadata: Metadata
  readonly spec?: JsonMap
  readonly data?: Readonly<Record<string, string>> | undefined
  readonly binaryData?: Readonly<Record<string, string>> | undefined
  readonly immutable?: boolean
  readonly type?: string
}

/** Every kind that a stack may be made of, with where it is asked for; in the order in which they are shown and written. */
export const kinds = {
  ConfigMap: { group: '', version: 'v1', plural: 'configmaps' },
  Secret: { group: '', version: 'v1', plural: 'secrets' },
  PersistentVolumeClaim: { group: '', version: 'v1', plural: 'persistentvolumeclaims' },
  NetworkPolicy: { group: 'networking.k8s.io', version: 'v1', plural: 'networkpolicies' },
  Service: { group: '', version: 'v1', plural: 'services' },
  Deployment: { group: 'apps', version: 'v1', plural: 'deployments' },
  StatefulSet: { group: 'apps', version: 'v1', plural: 'statefulsets' },
  DaemonSet: { group: 'apps', version: 'v1', plural: 'daemonsets' },
  Job: { group: 'batch', version: 'v1', plural: 'jobs' },
  CronJob: { group: 'batch', version: 'v1', plural: 'cronjobs' },
} as const satisfies Readonly<Record<string, { group: string; version: string; plural: string }>>

export type Kind = keyof typeof kinds
export const kindNames = Object.keys(kinds) as readonly Kind[]

/** Kinds whose pods are a service's. */
export const workloadKinds = [
  'Deployment',
  'StatefulSet',
  'DaemonSet',
  'Job',
  'CronJob',
] as const satisfies readonly Kind[]
export type WorkloadKind = (typeof workloadKinds)[number]

export function isWorkload(kind: Kind): kind is WorkloadKind {
  return (workloadKinds as readonly Kind[]).includes(kind)
}

export function apiVersionOf(kind: Kind): string {
  const { group, version } = kinds[kind]
  return group === '' ? version : `${group}/${version}`
}

/** "Deployment web". */
export function keyOf({
  kind,
  metadata,
}: {
  readonly kind: Kind
  readonly metadata: { readonly name: string }
}): string {
  return `${kind} ${metadata.name}`
}

export function manifest(
  kind: Kind,
  metadata: Metadata,
  rest: Omit<Manifest, 'apiVersion' | 'kind' | 'metadata'>,
): Manifest {
  return given({ apiVersion: apiVersionOf(kind), kind, metadata: given(metadata), ...rest })
}
