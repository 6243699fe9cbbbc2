/** The handler of an endpoint that we know of and do not serve yet: 501, naming itself. */
import type { Endpoint } from '../../api/endpoint.ts'
import { Failure } from '../../lib/failure.ts'

export function notYet({ method, path }: Endpoint): () => never {
  return () => {
    throw new Failure('unsupported', `${method} ${path.replace(/\*\}/g, '}')} is not implemented yet`)
  }
}
