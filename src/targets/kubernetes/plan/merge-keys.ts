/** Which entry of a list is meant: by its keys where the API merges such lists, otherwise by its place. */
import type { Json, JsonMap } from '../manifest.ts'

/** The member that is the list → what its entries go by. */
const keys: Readonly<Record<string, readonly string[]>> = {
  containers: ['name'],
  initContainers: ['name'],
  env: ['name'],
  volumes: ['name'],
  volumeMounts: ['mountPath'],
  topologySpreadConstraints: ['topologyKey', 'whenUnsatisfiable'],
  hostAliases: ['ip'],
  imagePullSecrets: ['name'],
}

/** Ports of containers and of Services are called alike. */
const portKeys = [
  ['containerPort', 'protocol'],
  ['port', 'protocol'],
] as const

/** Undefined: the list is one thing, whose entries go by their place. */
export function keysOf(member: string, list: readonly Json[], path: readonly string[]): readonly string[] | undefined {
  const first = list[0]
  if (!isMap(first)) return undefined
  // ports of a NetworkPolicy's rule are no such list
  if (member === 'ports')
    return path.includes('ingress') || path.includes('egress')
      ? undefined
      : portKeys.find(([key]) => first[key] !== undefined)
  return Object.hasOwn(keys, member) ? keys[member] : undefined
}

export function isMap(value: unknown): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
