/** An archive to a file, whole or not at all. */
import { createWriteStream } from 'node:fs'
import { rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { errnoOf, Failure } from '../lib/failure.ts'

/** @throws Failure when nothing can be written there, before anything is asked for */
export async function checkOutput(file: string): Promise<string> {
  const found = await stat(file).catch(() => undefined)
  if (found?.isDirectory()) throw new Failure('invalid', `Cannot write "${file}": it is a folder`)
  const folder = await stat(dirname(file)).catch(() => undefined)
  if (!folder?.isDirectory())
    throw new Failure('not-found', `Cannot write "${file}": folder "${dirname(file)}" does not exist`)
  return file
}

export async function writeOutput(content: AsyncIterable<Uint8Array>, file: string): Promise<void> {
  const part = `${file}.part-${process.pid}`
  try {
    await pipeline(content, createWriteStream(part, { flags: 'wx' }))
    await rename(part, file)
  } catch (error) {
    await rm(part, { force: true })
    if (errnoOf(error) === undefined) throw error
    throw new Failure('unavailable', `Cannot write "${file}": ${errnoOf(error)}`, { cause: error })
  }
}
