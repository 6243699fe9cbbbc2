/** Carries out what the keeper does on its engine; registries are asked as whoever has started it, whose credentials are read when they are needed and kept nowhere. */
import type { Performer } from '../apply/performer.ts'
import type { Client } from '../client/client.ts'
import type { Operation } from '../targets/engine/operation.ts'
import { enginePerformer } from '../targets/engine/perform/operations.ts'

export function keeperPerformer(client: Client): Performer<Operation> {
  return enginePerformer(client, {
    registryAuth: async reference => (await import('../client/registry-auth.ts')).registryAuth(reference, process.env),
    env: process.env,
  })
}
