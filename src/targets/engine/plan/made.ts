/** How a container was made: as inspect shows it, or as it is to be made; one form for both, so that they can be compared. */
import type { ContainerConfig, ContainerCreate, EndpointSettings, HostConfig } from '../../../api/container-body.ts'
import type { ContainerInspect } from '../../../api/containers.ts'

export type Present<T> = { readonly [K in keyof T]?: T[K] | null }

/** What can change on a container as it is. */
export interface Live {
  readonly host: Present<HostConfig>
  /** By the network's name. */
  readonly endpoints: Readonly<Record<string, EndpointSettings | null>>
}

export interface Made extends Live {
  readonly name: string
  readonly config: Present<ContainerConfig>
}

export function madeOf(item: ContainerInspect): Made {
  return {
    name: item.Name.replace(/^\//, ''),
    config: item.Config,
    host: item.HostConfig,
    endpoints: item.NetworkSettings.Networks ?? {},
  }
}

export function toBeMade(name: string, body: ContainerCreate): Made {
  return { name, config: body, host: body.HostConfig ?? {}, endpoints: body.NetworkingConfig?.EndpointsConfig ?? {} }
}
