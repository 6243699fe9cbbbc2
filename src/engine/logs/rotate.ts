/** The names of a log's files: the monitor moves `x` to `x.1`, `x.1` to `x.2`, and begins `x` again; `x.1.gz` is moved as `x.1` is. */
import { readdirSync, statSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { errnoOf } from '../../lib/failure.ts'

const suffix = '.gz'

export function isCompressed(path: string): boolean {
  return path.endsWith(suffix)
}

export function compressedName(path: string): string {
  return `${path}${suffix}`
}

/** Those that exist, oldest first, the current one last. One that is there in both forms counts as the plain one. */
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
  const files = new Map<number, string>()
  for (const entry of entries) {
    const age = ageOf(entry, name)
    if (age !== undefined && !(files.has(age) && isCompressed(entry))) files.set(age, entry)
  }
  return [...files].sort(([a], [b]) => b - a).map(([, entry]) => join(folder, entry))
}

function ageOf(entry: string, name: string): number | undefined {
  if (entry === name) return 0
  if (!entry.startsWith(`${name}.`)) return undefined
  const [, number] = /^([1-9]\d*)(\.gz)?$/.exec(entry.slice(name.length + 1)) ?? []
  return number === undefined ? undefined : Number(number)
}

/** The name that a rotated file has now, by its inode; undefined when it was rotated away. Between two awaits, under the log's lock. */
export function rotatedName(path: string, inode: number): string | undefined {
  const [folder, name] = [dirname(path), basename(path)]
  return readdirSync(folder)
    .filter(entry => !isCompressed(entry) && (ageOf(entry, name) ?? 0) > 0)
    .map(entry => join(folder, entry))
    .find(each => statSync(each, { throwIfNoEntry: false })?.ino === inode)
}
