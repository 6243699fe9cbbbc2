/** Stacks that a history is kept of: where the newest apply of each took its files from. */
import { readdirSync } from 'node:fs'
import { History } from '../history/history.ts'
import { errnoOf, isFailure } from '../lib/failure.ts'
import { engineFolder, type StateOf } from '../state/folder.ts'
import type { StackPlace } from './roads.ts'

export function knownPlaces(of: StateOf): readonly StackPlace[] {
  let names: readonly string[]
  try {
    names = readdirSync(engineFolder(of))
  } catch (error) {
    // nothing was ever applied
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  }
  return names.flatMap(name => placeOf(name, of) ?? [])
}

function placeOf(name: string, of: StateOf): StackPlace | undefined {
  try {
    const newest = new History(name, of).newest(({ folder, model }) => folder !== undefined && model !== undefined)
    if (newest?.folder === undefined) return undefined
    return { name, directory: newest.folder, files: newest.model!.project.files }
  } catch (error) {
    // a folder of another name or kind: no stack's
    if (isFailure(error)) return undefined
    throw error
  }
}
