/** Endpoints of networks. */

import type { EndpointSettings } from '../../../api/container-body.ts'
import type { ContainerSummary } from '../../../api/containers.ts'
import type { Handlers } from '../../../api/endpoint.ts'
import { checkFilters } from '../../../api/filters.ts'
import type { networkEndpoints } from '../../../api/networks.ts'
import { Failure } from '../../../lib/failure.ts'
import type { Networks } from '../../networks/networks.ts'

/** A container and a network brought together: the container's business, since its record keeps it. */
export interface NetworkMembers {
  connect(ref: string, network: string, settings: EndpointSettings): Promise<void>
  disconnect(ref: string, network: string, options: { readonly force: boolean }): Promise<void>
  list(options: { readonly all: boolean }): Promise<readonly ContainerSummary[]>
}

export function networkRoutes(networks: Networks, containers: NetworkMembers): Handlers<typeof networkEndpoints> {
  const list: Handlers<typeof networkEndpoints>['networkList'] = ({ query }) => networks.list(query.filters)
  return {
    networkList: list,
    networkListOld: list,
    networkCreate: async ({ body }) => ({ Id: (await networks.create(body)).id, Warning: '' }),
    networkInspect: ({ params, query }) => {
      // all of them are of this machine
      if (query.scope && query.scope !== 'local') throw new Failure('not-found', `network ${params.id} not found`)
      return networks.inspect(params.id)
    },
    networkRemove: ({ params }) => networks.remove(params.id),
    networkConnect: ({ params, body }) => containers.connect(body.Container, params.id, body.EndpointConfig ?? {}),
    networkDisconnect: ({ params, body }) =>
      containers.disconnect(body.Container, params.id, { force: body.Force ?? false }),
    networkPrune: async ({ query }) => {
      const filters = query.filters ?? {}
      checkFilters(filters, ['label', 'label!', 'until'])
      // containers that do not run want their networks again when they start
      const wanted = new Set(
        (await containers.list({ all: true })).flatMap(({ HostConfig, NetworkSettings }) => [
          HostConfig.NetworkMode,
          ...Object.entries(NetworkSettings?.Networks ?? {}).flatMap(([name, { NetworkID }]) => [name, NetworkID]),
        ]),
      )
      const removed = await networks.prune(filters, ({ id, name }) => wanted.has(id) || wanted.has(name))
      return { NetworksDeleted: removed.length > 0 ? removed : null }
    },
  }
}
