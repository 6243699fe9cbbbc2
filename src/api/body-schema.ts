/** The check of an endpoint's JSON body; only the server loads this, since zod takes its time to load. */
import type { z } from 'zod'
import { bodyPieces } from './body-pieces.ts'
import type { Endpoint } from './endpoint.ts'

const made = new Map<Endpoint, z.ZodType | undefined>()

/** Made when it is first asked for; undefined where the endpoint has no JSON body. */
export function bodySchema(endpoint: Endpoint): z.ZodType | undefined {
  if (!made.has(endpoint)) made.set(endpoint, endpoint.body.schema?.(bodyPieces))
  return made.get(endpoint)
}
