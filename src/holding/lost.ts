/** A keeper that should be there and is not: beside an engine that keeps no companions nobody else would tell. */
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parseHost } from '../client/host.ts'
import { errnoOf } from '../lib/failure.ts'
import { engineFolder, projectFolder } from '../state/folder.ts'
import { keeperSocket, type PlaceOf } from './place.ts'

/** What a keeper writes down of a stack, in its folder. */
export const recordFile = 'held.json'

export interface LostKeeper {
  /** What it held, by its records; at least one. */
  readonly stacks: readonly string[]
  /** It has run since the machine was started: what it holds may run, and is nobody's. */
  readonly ranSinceBoot: boolean
}

/** It lies where a reboot takes it: with it a keeper that starts has been there before, and not the machine. */
export function markOf(socket: string): string {
  return `${socket}.up`
}

/** Asked when no keeper listens; undefined: none is missed, or the engine starts its own. */
export function lostKeeper(place: PlaceOf): LostKeeper | undefined {
  const at = parseHost(place.host)
  const socket = keeperSocket(place)
  if (at.kind !== 'unix' || basename(at.path) === 'engine.sock' || socket === undefined) return undefined
  const stacks = recorded(engineFolder(place))
  return stacks.length === 0 ? undefined : { stacks, ranSinceBoot: existsSync(markOf(socket)) }
}

/** The next keeper finds no record of it, and so does not hold it. */
export function forget(project: string, place: PlaceOf): void {
  rmSync(join(projectFolder(project, place), recordFile), { force: true })
}

/** Names of stacks of which a record says that they are held. */
function recorded(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter(name => existsSync(join(folder, name, recordFile)))
      .sort()
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  }
}
