/** Endpoints of a swarm and of plugins: this engine is never part of one, and has none. */
import type { Endpoint, Handlers } from '../../../api/endpoint.ts'
import { NotReady } from '../../../api/status.ts'
import { pluginEndpoints, swarmEndpoints } from '../../../api/swarm.ts'
import { Failure } from '../../../lib/failure.ts'

/** What a swarm is asked for where there is none. */
export const noManager =
  'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.'

type AnyRequest = { readonly params: { readonly name?: string } }

/** One handler for every row; those that say something else stand after it. */
function everyRow<Table extends Readonly<Record<string, Endpoint>>>(
  table: Table,
  handler: (request: AnyRequest) => never,
): Handlers<Table> {
  return Object.fromEntries(Object.keys(table).map(name => [name, handler])) as unknown as Handlers<Table>
}

export function swarmRoutes(): Handlers<typeof swarmEndpoints> {
  const noSwarm = () => {
    throw new Failure('unsupported', 'Cannot make a swarm: this engine manages the containers of one machine')
  }
  return {
    ...everyRow(swarmEndpoints, () => {
      throw new NotReady(noManager)
    }),
    volumeUpdate: () => {
      throw new NotReady('volume update only valid for cluster volumes, but swarm is unavailable')
    },
    swarmInit: noSwarm,
    swarmJoin: noSwarm,
    swarmLeave: () => {
      throw new NotReady('This node is not part of a swarm')
    },
  }
}

export function pluginRoutes(): Handlers<typeof pluginEndpoints> {
  const noPlugins = () => {
    throw new Failure('unsupported', 'Cannot install a plugin: this engine has none')
  }
  return {
    ...everyRow(pluginEndpoints, ({ params }) => {
      throw new Failure('not-found', `plugin "${params.name}" not found`)
    }),
    pluginList: () => [],
    pluginPrivileges: () => [],
    pluginPull: ({ query }) => {
      if (!query.remote) throw new Failure('invalid', 'invalid reference format')
      return noPlugins()
    },
    pluginCreate: noPlugins,
  }
}
