/** Endpoints of execs. */
import type { Handlers } from '../../../api/endpoint.ts'
import type { execEndpoints } from '../../../api/exec.ts'
import type { Execs } from '../../containers/verbs/execs.ts'
import { windowSize } from '../window-size.ts'

export function execRoutes(execs: Execs): Handlers<typeof execEndpoints> {
  return {
    execCreate: ({ params, body }) => execs.create(params.id, body),
    execStart: ({ params, body }) => execs.start(params.id, body ?? {}),
    execResize: ({ params, query }) => execs.resize(params.id, windowSize(query)),
    execInspect: ({ params }) => execs.inspect(params.id),
  }
}
