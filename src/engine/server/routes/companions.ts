/** Endpoints of ours: the programs that live with the engine. */
import type { companionEndpoints } from '../../../api/companions.ts'
import type { Handlers } from '../../../api/endpoint.ts'
import type { Companions } from '../../companions/companions.ts'

export function companionRoutes(
  companions: Pick<Companions, 'list' | 'put' | 'leave' | 'remove'>,
): Handlers<typeof companionEndpoints> {
  return {
    companionList: () => companions.list(),
    companionPut: ({ params, body }) => companions.put(params.name, body),
    companionStarts: ({ params, body }) => companions.leave(params.name, body.Starts),
    companionRemove: ({ params }) => companions.remove(params.name),
  }
}
