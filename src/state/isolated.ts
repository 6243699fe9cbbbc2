/** That the stack of a folder runs under a name of its own, so that later commands there find it. */
import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { readDocument, writeDocument } from './document.ts'
import { engineFolder, type StateOf } from './folder.ts'

export interface Isolated {
  /** The project's folder, absolute. */
  readonly directory: string
  /** The name that its files give it. */
  readonly base: string
  /** The name it has. */
  readonly name: string
  readonly suffix: string
  /** Host ports by `portKey` of model/isolate.ts. */
  readonly ports: Readonly<Record<string, string>>
}

/** Undefined: it has none, or another stack was there before. @throws Failure for a damaged document */
export function readIsolated(directory: string, of: StateOf): Isolated | undefined {
  const found = readDocument(pathOf(directory, of), 1)
  if (found === undefined) return undefined
  const { directory: folder, base, name, suffix, ports } = found
  if (folder !== directory || typeof base !== 'string' || typeof name !== 'string' || typeof suffix !== 'string')
    return undefined
  const entries = Object.entries(typeof ports === 'object' && ports !== null ? ports : {})
  const numbers = entries.filter((entry): entry is [string, string] => /^\d{1,5}$/.test(String(entry[1])))
  return { directory, base, name, suffix, ports: Object.fromEntries(numbers) }
}

export function writeIsolated(isolated: Isolated, of: StateOf): void {
  writeDocument(pathOf(isolated.directory, of), JSON.stringify({ version: 1, ...isolated }))
}

export function forgetIsolated(directory: string, of: StateOf): void {
  rmSync(pathOf(directory, of), { force: true })
}

/** Beside the projects' folders; no project's name begins with a dot. */
function pathOf(directory: string, of: StateOf): string {
  const hash = createHash('sha256').update(directory).digest('hex').slice(0, 24)
  return join(engineFolder(of), '.isolated', `${hash}.json`)
}
