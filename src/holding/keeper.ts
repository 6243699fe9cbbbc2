/** The keeper of an engine, for commands: asked when it is there, started when a stack needs one. Nothing of the keeper is loaded. */
import { existsSync } from 'node:fs'
import { endpoints } from '../api/endpoints.ts'
import { type KeeperStatus, keeperEndpoints, keeperVersion } from '../api/keeper.ts'
import { type Client, createClient } from '../client/client.ts'
import { Failure, isFailure } from '../lib/failure.ts'
import { keeperSocket, type PlaceOf } from './place.ts'

export interface FoundKeeper {
  readonly client: Client
  readonly status: KeeperStatus
}

/** The keeper that listens, of whatever version; undefined when none does. @throws Failure `unsupported` for one that this client cannot speak to */
export async function askKeeper(place: PlaceOf): Promise<FoundKeeper | undefined> {
  const socket = keeperSocket(place)
  // most often there is none: then nothing is made to ask it with
  if (socket === undefined || !existsSync(socket)) return undefined
  const client = createClient(`unix://${socket}`, { version: keeperVersion })
  try {
    const status = await client.call(keeperEndpoints.keeperStatus, {})
    if (majorOf(status.Version) > majorOf(keeperVersion))
      throw new Failure(
        'unsupported',
        `Cannot speak to the keeper at "${socket}": its contract is ${status.Version}, that of this tscompose ${keeperVersion}`,
        { hint: 'Use the tscompose that started it, which is newer, or end it with "down" of what it holds' },
      )
    return { client, status }
  } catch (error) {
    client.close()
    if (isFailure(error, 'unavailable')) return undefined
    throw error
  }
}

/** A client of the keeper's socket; undefined when no keeper listens. */
export async function findKeeper(place: PlaceOf): Promise<Client | undefined> {
  return (await askKeeper(place))?.client
}

/** Whether it lacks something of this contract, and is to make room for another one. */
export function isOutdated({ Version }: Pick<KeeperStatus, 'Version'>): boolean {
  const [there, here] = [Version, keeperVersion].map(version => version.split('.').map(Number))
  return (there![0] ?? 0) < here![0]! || (there![0] === here![0] && (there![1] ?? 0) < here![1]!)
}

function majorOf(version: string): number {
  return Number(version.split('.')[0])
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
