/** Why a container must be replaced, in words that name the field. */
import type { Project } from '../model/project.ts'
import type { Service } from '../model/service.ts'
import { describeChange, type Hashed, hashService } from './hash.ts'
import { labels, parseFields } from './labels.ts'
import type { Observed, ObservedContainer } from './observed.ts'

export interface Wanted {
  readonly service: Service
  readonly hashed: Hashed
  readonly name: string
  /** Undefined when the image is not here yet. */
  readonly imageId: string | undefined
  /** Key in the stack, engine's name, and its id; undefined when it is still to be made. */
  readonly networks: readonly {
    readonly key: string
    readonly name: string
    readonly id: string | undefined
    /** Made anew, with the containers that stay put into it. */
    readonly anew: boolean
  }[]
  readonly volumes: readonly { readonly key: string; readonly name: string }[]
  /** The container whose network it is to share; undefined when it shares none, or one still to be made. */
  readonly networkOf: { readonly service: string; readonly id: string | undefined } | undefined
}

/** The cause to recreate `container`, or undefined when it is as it should be. */
export function divergence(wanted: Wanted, container: ObservedContainer): string | undefined {
  if (container.state === 'dead' || container.state === 'removing') return `the container is ${container.state}`
  if (container.labels[labels.configHash] !== wanted.hashed.hash) {
    const before = parseFields(container.labels[labels.fields])
    // Docker Compose keeps one hash only, which says that, not what
    return (before && describeChange(before, wanted.hashed.fields)) ?? 'configuration changed'
  }
  const imageId = container.labels[labels.image] ?? container.imageId
  if (wanted.imageId !== undefined && imageId !== wanted.imageId) return 'image digest changed'
  return networkDivergence(wanted, container) ?? volumeDivergence(wanted, container)
}

/** Containers of which somebody should ask all they were made with, for the plan to tell old values: those that are no longer as wanted. */
export function divergedIds(project: Project, observed: Observed): readonly string[] {
  const hashes = new Map<string, string>()
  return observed.containers.flatMap(({ id, service: name, oneOff, labels: own }) => {
    const service = project.services[name]
    if (!service || oneOff) return []
    const hash = hashes.get(name) ?? hashService(project, service, observed.files).hash
    hashes.set(name, hash)
    return own[labels.configHash] === hash ? [] : [id]
  })
}

/** The configs and secrets of which `container` keeps an older text: "configs.motd". */
export function outdatedTexts(hashed: Hashed, container: ObservedContainer): readonly string[] {
  const before = parseFields(container.labels[labels.fields]) ?? {}
  return Object.keys(hashed.texts)
    .filter(field => before[field] !== undefined && before[field] !== hashed.texts[field])
    .map(field => field.replace(/\.content$/, ''))
}

function networkDivergence(wanted: Wanted, container: ObservedContainer): string | undefined {
  for (const { key, name, id, anew } of wanted.networks) {
    const attached = container.networks[name]
    if (attached === undefined) {
      if (container.state === 'running') return `network ${key} is not connected`
    } else if (anew) continue
    else if (id === undefined) return `network ${key} was recreated`
    // a container that never ran has no network id yet
    else if (attached !== '' && attached !== id) return `network ${key} was recreated`
  }
  const shared = wanted.networkOf
  if (shared && container.networkMode !== `container:${shared.id}`) return `${shared.service} was recreated`
  return undefined
}

function volumeDivergence(wanted: Wanted, container: ObservedContainer): string | undefined {
  const mounted = new Set(container.volumes.map(volume => volume.name))
  const missing = wanted.volumes.find(volume => !mounted.has(volume.name))
  return missing && `volume ${missing.key} is not mounted`
}
