/** What a real server refuses, as far as stacks come upon it. */
import type { Live } from '../../../src/targets/kubernetes/live.ts'
import type { JsonMap, Manifest } from '../../../src/targets/kubernetes/manifest.ts'
import { sorted } from './fake-apply.ts'

interface Refused {
  readonly code: 422
  readonly reason: 'Invalid'
  readonly message: string
  readonly causes: readonly { readonly reason: string; readonly field: string; readonly message: string }[]
}

export function invalidIn(plural: string, { kind, metadata, spec }: Manifest): Refused | undefined {
  const refuse = refusing(plural, kind, metadata.name)
  const replicas = spec?.['replicas']
  if (typeof replicas === 'number' && replicas < 0)
    return refuse(
      'spec.replicas',
      'FieldValueInvalid',
      `Invalid value: ${replicas}: must be greater than or equal to 0`,
    )
  const template = spec?.['template'] as { readonly spec?: { readonly containers?: readonly JsonMap[] } } | undefined
  const nameless = template?.spec?.containers?.findIndex(({ image }) => !image) ?? -1
  if (nameless >= 0)
    return refuse(`spec.template.spec.containers[${nameless}].image`, 'FieldValueRequired', 'Required value')
  const hostname = (template?.spec as { readonly hostname?: string } | undefined)?.hostname
  if (hostname !== undefined && !/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(hostname))
    return refuse('spec.template.spec.hostname', invalid, `Invalid value: ${JSON.stringify(hostname)}: ${noLabel}`)
  return undefined
}

const noLabel =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"

interface PortOfNodes {
  readonly nodePort?: number
}

function nodePorts(service: { readonly spec?: JsonMap }): readonly (number | undefined)[] {
  return ((service.spec?.['ports'] ?? []) as readonly PortOfNodes[]).map(({ nodePort }) => nodePort)
}

/** A port of the nodes is one Service's. `others`: all Services but this one. */
export function takenIn(plural: string, manifest: Manifest, others: readonly Live[]): Refused | undefined {
  if (plural !== 'services') return undefined
  const taken = new Set(others.flatMap(nodePorts))
  const at = nodePorts(manifest).findIndex(port => port !== undefined && taken.has(port))
  if (at < 0) return undefined
  const message = `Invalid value: ${nodePorts(manifest)[at]}: provided port is already allocated`
  return refusing(plural, manifest.kind, manifest.metadata.name)(`spec.ports[${at}].nodePort`, invalid, message)
}

const forbidden = 'FieldValueForbidden'
const invalid = 'FieldValueInvalid'

/** Of an object that is there, what cannot be another. */
const fixed: Readonly<
  Record<string, readonly (readonly [member: string, field: string, reason: string, message: string])[]>
> = {
  deployments: [['spec.selector', 'spec.selector', invalid, 'field is immutable']],
  jobs: [['spec.template', 'spec.template', invalid, 'field is immutable']],
  services: [['spec.clusterIP', 'spec.clusterIPs[0]', invalid, 'Invalid value: ["None"]: may not change once set']],
  configmaps: [['data', 'data', forbidden, 'Forbidden: field is immutable when `immutable` is set']],
  secrets: [['data', 'data', forbidden, 'Forbidden: field is immutable when `immutable` is set']],
  persistentvolumeclaims: [
    [
      'spec',
      'spec',
      forbidden,
      'Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims',
    ],
  ],
}

export function immutableIn(plural: string, before: Live, after: Live): Refused | undefined {
  for (const [member, field, reason, message] of fixed[plural] ?? []) {
    if (plural === 'configmaps' && before['immutable'] !== true) continue
    const [was, is] = [before, after].map(live => JSON.stringify(sorted(at(live, member.split('.')))))
    if (was !== is) return refusing(plural, before.kind, before.metadata.name)(field, reason, message)
  }
  return undefined
}

function at(value: unknown, [key, ...rest]: readonly string[]): unknown {
  if (key === undefined || typeof value !== 'object' || value === null) return value
  return at((value as Readonly<Record<string, unknown>>)[key], rest)
}

const groups: Readonly<Record<string, string>> = { deployments: '.apps', jobs: '.batch' }

function refusing(plural: string, kind: string, name: string) {
  return (field: string, reason: string, message: string): Refused => ({
    code: 422,
    reason: 'Invalid',
    message: `${kind}${groups[plural] ?? ''} "${name}" is invalid: ${field}: ${message}`,
    causes: [{ reason, field, message }],
  })
}
