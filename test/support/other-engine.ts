/** A scenario's engine that is not ours to start: one that TSCOMPOSE_SCENARIOS_ON names, a Docker Engine, on which others may work too. */

import { existsSync, readFileSync } from 'node:fs'
import { endpoints } from '../../src/api/endpoints.ts'
import { keeperEndpoints } from '../../src/api/keeper.ts'
import { createClient } from '../../src/client/client.ts'
import { findKeeper } from '../../src/holding/keeper.ts'
import { keeperSocket } from '../../src/holding/place.ts'

/** "unix:///run/docker.sock"; undefined: scenarios run on engines of their own. */
export function otherEngine(): string | undefined {
  return process.env['TSCOMPOSE_SCENARIOS_ON'] || undefined
}

/** For `lacking`: false where the scenario has an engine of its own; otherwise why it must. */
export function ownEngine(because: string): string | false {
  return otherEngine() === undefined ? false : `an engine of its own (${because})`
}

/** What a keeper says that is no companion: beside its socket. */
export function keeperLog(host: string, env: Readonly<Record<string, string>>): string {
  const log = keeperSocket({ host, env })?.replace(/\.sock$/, '.log')
  return log !== undefined && existsSync(log) ? readFileSync(log, 'utf8') : ''
}

/** Ends the keeper, which no engine ends there, and removes what is left of these projects. */
export async function clearAway(
  host: string,
  env: Readonly<Record<string, string>>,
  projects: Iterable<string>,
): Promise<void> {
  const keeper = await findKeeper({ host, env })
  if (keeper) {
    await keeper.call(keeperEndpoints.keeperStop, {})
    keeper.close()
  }
  const client = createClient(host)
  try {
    for (const project of projects) {
      const filters = { label: [`com.docker.compose.project=${project}`] }
      for (const { Id } of await client.call(endpoints.containerList, { query: { all: true, filters } }))
        await client.call(endpoints.containerRemove, { params: { id: Id }, query: { force: true, v: true } })
      for (const { Id } of await client.call(endpoints.networkList, { query: { filters } }))
        await client.call(endpoints.networkRemove, { params: { id: Id } })
      for (const { Name } of (await client.call(endpoints.volumeList, { query: { filters } })).Volumes ?? [])
        await client.call(endpoints.volumeRemove, { params: { name: Name } })
    }
  } finally {
    client.close()
  }
}
