/** What the files of a project say, in one text: the model, and what is in each file that it is read from or made of. */
import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { errnoOf } from '../lib/failure.ts'
import { stableHash } from '../lib/stable-json.ts'
import { freeze } from '../model/frozen.ts'
import { definingFiles, type Loaded } from './files.ts'

/** The same as long as nothing of it has changed, whatever was written. */
export function fileState(loaded: Loaded): string {
  const contents = [...definingFiles(loaded)].sort().map(path => [path, contentOf(path)])
  return stableHash([freeze(loaded.project), contents])
}

/** A folder counts by its presence, and what cannot be read by why. */
function contentOf(path: string): string {
  try {
    return hash('sha256', readFileSync(path))
  } catch (error) {
    return errnoOf(error) ?? 'unreadable'
  }
}
