/** A watch without a terminal: the keeper follows the files of the stack, and says what it does in its log and the history. */
import { keeperEndpoints } from '../api/keeper.ts'
import type { Client } from '../client/client.ts'
import { Failure, isFailure } from '../lib/failure.ts'
import { readIgnoreFiles } from '../watch/ignore-files.ts'
import { rulesOf } from '../watch/rules.ts'
import { type BringUp, bringUp, type WantedAgain } from './bring-up.ts'
import type { Call } from './command.ts'
import { keeperOf, tellWish } from './keeping.ts'
import { readAgain } from './read-again.ts'

/** Brings the stack up, unless it is only to be watched from now on. @returns the exit code */
export async function watchDetached(call: Call, wanted: WantedAgain, more: BringUp | 'no-up'): Promise<number> {
  const { client, files, options } = wanted
  const { project } = wanted.loaded
  // a rule that cannot work is refused before anything is made
  rulesOf(project, { services: options.services, build: true, ignoreFiles: readIgnoreFiles(project) })
  const watch = readAgain(call, { host: client.host, files })
  if (call.globals['dry-run']) {
    if (more !== 'no-up') await bringUp(call, wanted, more)
    return 0
  }
  if (more === 'no-up') {
    const { services, scale } = options
    const turn = await tellWish(call, { client, project, services, scale, watch })
    await turn[Symbol.asyncDispose]()
  } else if (!(await bringUp(call, { ...wanted, watch }, more))) return 1
  const held = await heldStack(call, client, project.name)
  if (!held?.Watched) throw new Failure('unavailable', `The files of "${project.name}" are not watched`)
  const sources = Object.values(project.services).some(service => service.watch.length > 0)
  call.screen.say(
    `The keeper watches the files of ${project.name}${sources ? ', and its sources' : ''}: "tscompose ls" tells how it is, "tscompose history" and the log of the ${held.log} what was done; "tscompose watch --stop" ends it`,
  )
  return 0
}

/** @throws Failure `not-found` when it is not watched */
export async function stopWatch(call: Call, client: Client, name: string): Promise<void> {
  const none = new Failure('not-found', `Stack "${name}" is not watched`)
  const keeper = await keeperOf(call, client)
  if (!keeper) throw none
  try {
    await keeper.call(keeperEndpoints.stackUnwatch, { params: { name } })
  } catch (error) {
    throw isFailure(error, 'not-found') ? none : error
  } finally {
    keeper.close()
  }
}

async function heldStack(call: Call, client: Client, name: string) {
  const keeper = await keeperOf(call, client)
  if (!keeper) return undefined
  const { hasCompanions } = await import('../holding/keeper.ts')
  try {
    const held = await keeper.call(keeperEndpoints.stackInspect, { params: { name } })
    return { ...held, log: (await hasCompanions(client)) ? 'engine' : 'keeper, beside its socket,' }
  } finally {
    keeper.close()
  }
}
