/** In what a container is not as it should be: why it must be replaced, in words that name the field, or what is put right on it as it is. */

import type { Project } from '../../../model/project.ts'
import type { Service } from '../../../model/service.ts'
import { labels, parseFields } from '../labels.ts'
import type { Observed, ObservedContainer } from '../observed.ts'
import { type Comparison, compareLive, type WantedLive } from './adjust.ts'
import { fieldChanges } from './field-changes.ts'
import type { Fields } from './fields.ts'
import { describePaths } from './fields.ts'
import { type Hashed, hashService } from './hash.ts'
import { describeReplacement, settled } from './live-fields.ts'
import type { Made } from './made.ts'

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
  /** How it is to be made; undefined when it cannot be. */
  readonly made: (container: ObservedContainer) => Made | undefined
  /** What can change on a container as it is. */
  readonly live: (container: ObservedContainer) => WantedLive
  /** The containers whose namespaces it is to share; without an id: one still to be made. */
  readonly shares: readonly {
    readonly mode: 'NetworkMode' | 'IpcMode' | 'PidMode'
    readonly service: string
    readonly id: string | undefined
  }[]
}

export interface Divergence {
  /** Why a new container is needed; undefined when it is not. */
  readonly replace: string | undefined
  /** The stack said something else when it was made, which is why. */
  readonly isOlder: boolean
  readonly comparison: Comparison
}

export function divergence(wanted: Wanted, container: ObservedContainer): Divergence {
  const comparison = compareLive(wanted.live(container), container)
  if (container.state === 'dead' || container.state === 'removing')
    return { replace: `the container is ${container.state}`, isOlder: false, comparison }
  const older = changedSince(wanted, container)
  return { replace: older ?? replaceCause(wanted, container, comparison), isOlder: older !== undefined, comparison }
}

function changedSince(wanted: Wanted, container: ObservedContainer): string | undefined {
  if (container.labels[labels.configHash] === wanted.hashed.hash) return undefined
  const before = parseFields(container.labels[labels.fields])
  // Docker Compose keeps one hash only, which says that, not what
  return before ? replacement(wanted, container, before) : 'configuration changed'
}

function replaceCause(wanted: Wanted, container: ObservedContainer, { forced }: Comparison): string | undefined {
  const imageId = container.labels[labels.image] ?? container.imageId
  if (wanted.imageId !== undefined && imageId !== wanted.imageId) return 'image digest changed'
  if (forced.length > 0) return describePaths(forced.map(({ path }) => path))
  return (
    networkDivergence(wanted, container) ?? sharingDivergence(wanted, container) ?? volumeDivergence(wanted, container)
  )
}

/** Which of the fields that differ by their hashes differ in truth, where that can be seen. */
function replacement(wanted: Wanted, container: ObservedContainer, before: Fields): string | undefined {
  const after = wanted.hashed.fields
  const change = describeReplacement(before, after)
  const made = change === undefined ? undefined : container.made
  const body = made && wanted.made(container)
  if (!made || !body) return change
  const changes = fieldChanges({ before: settled(before), after: settled(after), made, wanted: body })
  const paths = new Set(changes.map(({ path }) => path))
  const only = (fields: Fields) => Object.fromEntries(Object.entries(fields).filter(([field]) => paths.has(field)))
  return describeReplacement(only(before), only(after))
}

/** Containers of which somebody should ask all they were made with: those that are no longer as wanted, for the plan to tell old values. */
export function divergedIds(project: Project, observed: Observed): readonly string[] {
  const hashes = new Map<string, string>()
  return observed.containers.flatMap(({ id, service: name, oneOff, live, labels: own }) => {
    const service = project.services[name]
    if (!service || oneOff) return []
    // an engine that does not list it is asked of each
    if (!live) return [id]
    const hash = hashes.get(name) ?? hashService(project, service, observed.files).hash
    hashes.set(name, hash)
    return own[labels.configHash] === hash ? [] : [id]
  })
}

function networkDivergence(wanted: Wanted, container: ObservedContainer): string | undefined {
  for (const { key, name, id, anew } of wanted.networks) {
    const attached = container.networks[name]
    if (attached === undefined || anew) continue
    if (id === undefined) return `network ${key} was recreated`
    // a container that never ran has no network id yet
    else if (attached !== '' && attached !== id) return `network ${key} was recreated`
  }
  return undefined
}

/** It lives on in a namespace of a container that is no more. */
function sharingDivergence({ shares }: Wanted, { networkMode, live }: ObservedContainer): string | undefined {
  const modes = { NetworkMode: networkMode, IpcMode: live?.host.IpcMode, PidMode: live?.host.PidMode }
  const other = shares.find(({ mode, id }) => modes[mode] !== undefined && modes[mode] !== `container:${id}`)
  return other && `${other.service} was recreated`
}

function volumeDivergence(wanted: Wanted, container: ObservedContainer): string | undefined {
  const mounted = new Set(container.volumes.map(volume => volume.name))
  const missing = wanted.volumes.find(volume => !mounted.has(volume.name))
  return missing && `volume ${missing.key} is not mounted`
}
