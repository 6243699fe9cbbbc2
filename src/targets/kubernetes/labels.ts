/** The labels and annotations by which a stack's objects are found in a cluster: ours, and those of ApplySets (KEP-3659). */
import { hash } from 'node:crypto'
import { apiVersionOf, kindNames, kinds, type Manifest } from './manifest.ts'
import { objectName } from './names.ts'

export const labels = {
  stack: 'tscompose.dev/stack',
  service: 'tscompose.dev/service',
  /** Of pods: a hash of all that their template says. */
  version: 'tscompose.dev/version',
  /** Followed by the network's name: its pods are on it. */
  network: 'network.tscompose.dev/',
  managedBy: 'app.kubernetes.io/managed-by',
  name: 'app.kubernetes.io/name',
  partOf: 'app.kubernetes.io/part-of',
  /** Of members of an ApplySet, and of its parent. */
  applySetPart: 'applyset.kubernetes.io/part-of',
  applySetId: 'applyset.kubernetes.io/id',
} as const

export const annotations = {
  /** What a name of the stack is called there, where a cluster would not take it. */
  name: 'tscompose.dev/name',
  image: 'tscompose.dev/image',
  restarted: 'tscompose.dev/restarted',
  applySetTooling: 'applyset.kubernetes.io/tooling',
  applySetKinds: 'applyset.kubernetes.io/contains-group-kinds',
} as const

/** Who writes, as the cluster keeps it beside every field. */
export const fieldManager = 'tscompose'

/** A stack in its namespace. */
export interface Home {
  readonly project: string
  readonly namespace: string
}

/** Of a service's pods. */
export function selectorOf(project: string, service: string): Readonly<Record<string, string>> {
  return { [labels.stack]: objectName(project), [labels.service]: objectName(service) }
}

/** Of an object of the stack, or of one service of it. */
export function labelsOf(home: Home, service?: string): Readonly<Record<string, string>> {
  return { ...madeLabels(home.project, service), [labels.applySetPart]: applySetId(home) }
}

/** Of what the cluster makes for such an object: pods, and claims of theirs, which nobody prunes. */
export function madeLabels(project: string, service?: string): Readonly<Record<string, string>> {
  return {
    [labels.managedBy]: 'tscompose',
    [labels.partOf]: objectName(project),
    ...(service === undefined ? {} : { [labels.name]: objectName(service), [labels.service]: objectName(service) }),
    [labels.stack]: objectName(project),
  }
}

export function parentName(project: string): string {
  return `tscompose-${objectName(project)}`
}

/** "applyset-…-v1": base64url of the sha256 of "name.namespace.kind.group" of the parent, by KEP-3659. */
export function applySetId({ project, namespace }: Home): string {
  const digest = hash('sha256', `${parentName(project)}.${namespace}.ConfigMap.`, 'base64url')
  return `applyset-${digest}-v1`
}

/** The parent of all objects of a stack, by which kubectl too knows what belongs to it. */
export function applySetParent(home: Home): Manifest {
  const all = kindNames.map(kind => (kinds[kind].group === '' ? kind : `${kind}.${kinds[kind].group}`)).sort()
  return {
    apiVersion: apiVersionOf('ConfigMap'),
    kind: 'ConfigMap',
    metadata: {
      name: parentName(home.project),
      namespace: home.namespace,
      labels: {
        [labels.managedBy]: 'tscompose',
        [labels.stack]: objectName(home.project),
        [labels.applySetId]: applySetId(home),
      },
      annotations: {
        [annotations.name]: home.project,
        [annotations.applySetKinds]: all.join(','),
        [annotations.applySetTooling]: 'tscompose/v1',
      },
    },
  }
}

/** The service whose it is, as the stack calls it; undefined for what is no service's. */
export function serviceOf(object: {
  readonly metadata: {
    readonly labels?: Readonly<Record<string, string>> | undefined
    readonly annotations?: Readonly<Record<string, string>> | undefined
  }
}): string | undefined {
  const label = object.metadata.labels?.[labels.service]
  return label === undefined ? undefined : (object.metadata.annotations?.[annotations.name] ?? label)
}
