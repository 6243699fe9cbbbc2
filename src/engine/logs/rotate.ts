/** The names of a log's files: the monitor moves `x` to `x.1`, `x.1` to `x.2`, and begins `x` again. */
import { readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { errnoOf } from '../../lib/failure.ts'

/** Those that exist, oldest first, the current one last. */
export async function logFiles(path: string): Promise<string[]> {
  const folder = dirname(path)
  const name = basename(path)
  let entries: string[]
  try {
    entries = await readdir(folder)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  }
  return entries
    .map(entry => ({ entry, age: ageOf(entry, name) }))
    .filter((file): file is { entry: string; age: number } => file.age !== undefined)
    .sort((a, b) => b.age - a.age)
    .map(({ entry }) => join(folder, entry))
}

function ageOf(entry: string, name: string): number | undefined {
  if (entry === name) return 0
  if (!entry.startsWith(`${name}.`)) return undefined
  const suffix = entry.slice(name.length + 1)
  return /^[1-9]\d*$/.test(suffix) ? Number(suffix) : undefined
}
