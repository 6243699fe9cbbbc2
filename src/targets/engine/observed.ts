/** What is there: the engine's replies as the plan needs them. */

import type { ContainerState, ContainerSummary } from '../../api/containers.ts'
import type { ImageInspect } from '../../api/images.ts'
import { listedName } from '../../api/listed-name.ts'
import type { NetworkInspect } from '../../api/networks.ts'
import type { VolumeInspect } from '../../api/volumes.ts'
import { labels } from './labels.ts'
import type { Live, Made } from './plan/made.ts'

type Strings = Readonly<Record<string, string>>

export interface ObservedContainer {
  readonly id: string
  /** Without the leading slash. */
  readonly name: string
  readonly service: string
  /** Undefined for a one-off container of `run`. */
  readonly number: number | undefined
  readonly oneOff: boolean
  readonly state: ContainerState['Status']
  /** Undefined while it has not ended. */
  readonly exitCode: number | undefined
  /** Undefined without a healthcheck, and while it does not run. */
  readonly health: 'starting' | 'healthy' | 'unhealthy' | undefined
  readonly image: string
  readonly imageId: string
  readonly labels: Strings
  /** None of the stack files that it was made from is there any more. */
  readonly filesGone?: boolean
  /** "container:<id>" when it lives in another's network namespace. */
  readonly networkMode: string
  /** Network name → id. */
  readonly networks: Strings
  readonly volumes: readonly { readonly name: string; readonly target: string }[]
  /** All it was made with: asked for only of what is not as it should be. */
  readonly made?: Made
  /** What can change on it as it is, as it is now; undefined when the engine's list does not say it and nobody has asked. */
  readonly live?: Live
}

export interface ObservedNetwork {
  readonly id: string
  readonly name: string
  readonly labels: Strings
  /** As the engine lists it. */
  readonly shape?: NetworkShape
}

export type NetworkShape = Pick<
  NetworkInspect,
  'Driver' | 'EnableIPv4' | 'EnableIPv6' | 'IPAM' | 'Internal' | 'Attachable' | 'Options'
>

export interface ObservedVolume {
  readonly name: string
  readonly labels: Strings
  readonly shape?: Pick<VolumeInspect, 'Driver' | 'Options'>
}

export interface ObservedImage {
  readonly id: string
  readonly labels: Strings
  /** Paths for which the image wants a volume. */
  readonly volumes: readonly string[]
  readonly healthcheck: boolean
  /** "sha256:…" by which a registry has it; absent for one that was built here. */
  readonly digest?: string
  /** When it was last pulled or built, in milliseconds since 1970; undefined when the engine does not say. */
  readonly taggedAt: number | undefined
}

export interface Observed {
  /** Whether the machine can limit swap; asked for only where it matters. */
  readonly limitsSwap?: boolean
  /** Milliseconds since 1970. */
  readonly now: number
  /** Of the project, in any state, one-off ones included; sorted by name. */
  readonly containers: readonly ObservedContainer[]
  /** All of the engine, by name. */
  readonly networks: ReadonlyMap<string, ObservedNetwork>
  readonly volumes: ReadonlyMap<string, ObservedVolume>
  /** By the reference the project uses; an absent one is not there. */
  readonly images: ReadonlyMap<string, ObservedImage>
  /** Whether the engine passes ports and names from one running container to another; undefined: nobody has asked. */
  readonly handsOver?: boolean
  /** sha256 of each file that configs and secrets of the project are made from, by absolute path; an absent one cannot be read. */
  readonly files: ReadonlyMap<string, string>
}

export function observedContainer(item: ContainerSummary): ObservedContainer {
  const own = item.Labels ?? {}
  const networks = Object.entries(item.NetworkSettings?.Networks ?? {})
  return {
    id: item.Id,
    name: listedName(item),
    service: own[labels.service] ?? '',
    number: /^\d+$/.test(own[labels.number] ?? '') ? Number(own[labels.number]) : undefined,
    oneOff: own[labels.oneOff] === 'True',
    state: item.State,
    exitCode: exitCode(item),
    health: /\((?:health: )?(starting|healthy|unhealthy)\)/.exec(item.Status)?.[1] as ObservedContainer['health'],
    image: item.Image,
    imageId: item.ImageID,
    labels: own,
    networkMode: item.HostConfig.NetworkMode ?? '',
    networks: Object.fromEntries(networks.map(([name, endpoint]) => [name, endpoint.NetworkID ?? ''])),
    volumes: (item.Mounts ?? []).flatMap(mount =>
      mount.Type === 'volume' && mount.Name ? [{ name: mount.Name, target: mount.Destination }] : [],
    ),
    ...(item.HostConfig.RestartPolicy
      ? { live: { host: item.HostConfig, endpoints: item.NetworkSettings?.Networks ?? {} } }
      : {}),
  }
}

/** What a plan of builds sees that has no engine to ask: a base that others are built on is taken for one that is there. */
export function nothingMissing(images: readonly string[]): Observed {
  const image = { id: '', labels: {}, volumes: [], healthcheck: false, taggedAt: undefined }
  return {
    now: 0,
    containers: [],
    networks: new Map(),
    volumes: new Map(),
    images: new Map(images.map(name => [name, image])),
    files: new Map(),
  }
}

/** The list tells the exit code in its status text only: "Exited (3) 4 seconds ago". */
function exitCode(item: ContainerSummary): number | undefined {
  if (item.State !== 'exited' && item.State !== 'dead') return undefined
  const code = /^Exited \((\d+)\)/.exec(item.Status)?.[1]
  return code === undefined ? undefined : Number(code)
}

export function observedNetwork(item: NetworkInspect): ObservedNetwork {
  return { id: item.Id, name: item.Name, labels: item.Labels ?? {}, shape: item }
}

export function observedVolume(item: VolumeInspect): ObservedVolume {
  return { name: item.Name, labels: item.Labels ?? {}, shape: item }
}

export function observedImage(item: ImageInspect): ObservedImage {
  const tagged = Date.parse(item.Metadata?.LastTagTime ?? '')
  const test = item.Config?.Healthcheck?.Test ?? []
  const digest = item.RepoDigests?.[0]?.split('@')[1]
  return {
    id: item.Id,
    ...(digest === undefined ? {} : { digest }),
    labels: item.Config?.Labels ?? {},
    volumes: Object.keys(item.Config?.Volumes ?? {}).sort(),
    healthcheck: test.length > 0 && test[0] !== 'NONE',
    // Docker's zero time is in the year 1
    taggedAt: Number.isNaN(tagged) || tagged < 0 ? undefined : tagged,
  }
}
