/** All files of a container as a tar archive. */
import { createWriteStream } from 'node:fs'
import { rename, rm, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { endpoints } from '../../api/endpoints.ts'
import { errnoOf, Failure } from '../../lib/failure.ts'
import { command } from '../command.ts'
import { usage } from '../options.ts'
import { replicaOf } from '../replicas.ts'

export const exportCommand = command({
  usage: '[OPTIONS] SERVICE',
  words: [1, Infinity],
  options: {
    output: { kind: 'text', short: 'o', value: 'FILE', names: 'file', about: 'Write to FILE instead of here' },
    index: { kind: 'number', value: 'N', about: 'Which replica (default: the first that runs)' },
  },
  examples: [['tscompose export -o web.tar web', 'the files of web as they are now']],
  async run(call) {
    const { options, screen, signal } = call
    const [service] = call.args as [string]
    if (options.output === undefined && screen.stdout.isTTY)
      throw usage('output option is required when exporting to terminal', 'Add -o FILE')
    const { client, one } = await replicaOf(call, service, options.index)
    if (call.globals['dry-run']) return
    const file = options.output === undefined ? undefined : await checkOutput(resolve(call.cwd, options.output))
    const { content } = await client.stream(endpoints.containerExport, { params: { id: one.Id } }, { signal })
    if (file !== undefined) return await write(content, file)
    for await (const piece of content) await screen.writeOut(piece)
  },
})

/** @throws Failure when nothing can be written there, before anything is asked for */
async function checkOutput(file: string): Promise<string> {
  const found = await stat(file).catch(() => undefined)
  if (found?.isDirectory()) throw new Failure('invalid', `Cannot write "${file}": it is a folder`)
  const folder = await stat(dirname(file)).catch(() => undefined)
  if (!folder?.isDirectory())
    throw new Failure('not-found', `Cannot write "${file}": folder "${dirname(file)}" does not exist`)
  return file
}

/** Whole or not at all. */
async function write(content: AsyncIterable<Uint8Array>, file: string): Promise<void> {
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
