/** A folder to the bytes of the files in it: links as themselves and never followed, a file with several names once. */
import type { Stats } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { errnoOf } from '../../lib/failure.ts'
import type { HostPath } from '../../runtime/spec.ts'

export function folderSize(path: HostPath): Promise<number> {
  return sizeOf(Buffer.from(path), new Set())
}

async function sizeOf(path: Buffer, seen: Set<string>): Promise<number> {
  let total = 0
  for (const entry of (await unlessGone(readdir(path, { withFileTypes: true, encoding: 'buffer' }))) ?? []) {
    // names are bytes, not always text
    const member = Buffer.concat([path, Buffer.from('/'), entry.name])
    if (entry.isDirectory()) total += await sizeOf(member, seen)
    else total += sizeOnce(await unlessGone(lstat(member)), seen)
  }
  return total
}

function sizeOnce(stat: Stats | undefined, seen: Set<string>): number {
  if (stat === undefined) return 0
  const key = `${stat.dev}:${stat.ino}`
  if (stat.nlink > 1 && seen.has(key)) return 0
  seen.add(key)
  return stat.size
}

/** Containers write while we count: what has just gone counts nothing. */
async function unlessGone<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined
    throw error
  }
}
