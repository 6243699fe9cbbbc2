/** Reads what of this machine's files goes into a cluster; a folder with all that is below it. */
import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf, messageOf } from '../../lib/failure.ts'
import { mostBytes } from './objects/files.ts'
import type { SeenFile } from './objects/given-input.ts'

/** So many files a folder may have. */
const mostFiles = 200

export function readLocal(paths: readonly string[]): ReadonlyMap<string, SeenFile> {
  return new Map(paths.map(path => [path, read(path)]))
}

function read(path: string): SeenFile {
  const none = (why: string): SeenFile => ({ kind: 'none', why })
  try {
    const stat = statSync(path)
    if (!stat.isFile() && !stat.isDirectory()) return none('it is neither a file nor a folder')
    const places = stat.isFile() ? [''] : below(path, '')
    if (places === undefined) return none('below it are links, sockets or devices, of which a cluster takes no copies')
    if (places.length > mostFiles)
      return none(`a cluster takes copies of small folders, and this one has more than ${mostFiles} files`)
    let size = 0
    const contents = new Map<string, Uint8Array>()
    for (const place of places) {
      size += statSync(join(path, place)).size
      if (size > mostBytes) return none(`a cluster takes copies of up to ${mostBytes / 1024} KiB`)
      contents.set(place, readFileSync(join(path, place)))
    }
    if (contents.size === 0) return none('the folder is empty, and what is written to it would not come back')
    return { kind: stat.isFile() ? 'file' : 'folder', contents }
  } catch (error) {
    const code = errnoOf(error)
    if (code === undefined) throw error
    return none(code === 'ENOENT' ? 'there is no such file or folder' : messageOf(error))
  }
}

/** Undefined when there is something else than files and folders. */
function below(root: string, folder: string): readonly string[] | undefined {
  const found: string[] = []
  const entries: readonly Dirent[] = readdirSync(join(root, folder), { withFileTypes: true })
  for (const entry of entries) {
    const place = folder === '' ? entry.name : `${folder}/${entry.name}`
    const own = entry.isDirectory() ? below(root, place) : entry.isFile() ? [place] : undefined
    if (own === undefined) return undefined
    found.push(...own)
    if (found.length > mostFiles) break
  }
  return found
}
