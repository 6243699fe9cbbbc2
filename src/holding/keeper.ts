/** The keeper of an engine, for commands: asked when it is there, started when a stack needs one. Nothing of the keeper is loaded. */
import { existsSync } from 'node:fs'
import { endpoints } from '../api/endpoints.ts'
import { keeperEndpoints, keeperVersion } from '../api/keeper.ts'
import { type Client, createClient } from '../client/client.ts'
import { isFailure } from '../lib/failure.ts'
import { keeperSocket, type PlaceOf } from './place.ts'

/** A client of the keeper's socket; undefined when no keeper listens. */
export async function findKeeper(place: PlaceOf): Promise<Client | undefined> {
  const socket = keeperSocket(place)
  // most often there is none: then nothing is made to ask it with
  if (socket === undefined || !existsSync(socket)) return undefined
  const client = createClient(`unix://${socket}`, { version: keeperVersion })
  try {
    await client.call(keeperEndpoints.keeperStatus, {})
    return client
  } catch (error) {
    client.close()
    if (isFailure(error, 'unavailable')) return undefined
    throw error
  }
}

/** Whether it is an engine of ours, which has companions. */
export async function hasCompanions(engine: Client): Promise<boolean> {
  try {
    await engine.call(endpoints.companionList, {})
    return true
  } catch (error) {
    if (isFailure(error, 'not-found')) return false
    throw error
  }
}
