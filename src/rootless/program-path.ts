/** A program in the PATH of a user, or in the folders where those are that only root has in its own. */
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

export function programPath(name: string, env: Readonly<Record<string, string | undefined>>): string | undefined {
  const folders = [...(env['PATH'] ?? '').split(delimiter), '/usr/bin', '/bin', '/usr/sbin', '/sbin']
  return folders
    .filter(folder => folder.startsWith('/'))
    .map(folder => join(folder, name))
    .find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    // not in this folder: the next one may have it
    return false
  }
}
