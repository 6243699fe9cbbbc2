/** Images out of an archive, as `docker save` and OCI tools write it. */
import { createReadStream } from 'node:fs'
import { access, constants } from 'node:fs/promises'
import { imageEndpoints } from '../../api/images.ts'
import { errnoOf, Failure } from '../../lib/failure.ts'
import { command } from '../command.ts'
import { readProgress } from '../image-progress.ts'
import { usage } from '../options.ts'

export const imageLoad = command({
  usage: '[OPTIONS] [FILE]',
  about: 'Reads standard input when there is no FILE.',
  options: {
    input: { kind: 'text', short: 'i', value: 'FILE', about: 'The same as FILE' },
    quiet: { kind: 'flag', short: 'q', about: 'Say nothing when all is well' },
  },
  examples: [['tscompose image load shop.tar', 'images saved elsewhere']],
  async run({ options, args, screen, stdin, signal, connect }) {
    const file = options.input ?? args[0] ?? '-'
    const body = await inputOf(file, stdin)
    const client = await connect()
    const lines = await client.stream(imageEndpoints.imageLoad, { query: { quiet: options.quiet }, body }, { signal })
    await readProgress(lines, screen)
  },
})

/** FILE or, for `-`, standard input; a terminal is no archive. */
export async function inputOf(file: string, stdin: AsyncIterable<Uint8Array> & { readonly isTTY?: boolean }) {
  if (file === '-') {
    if (stdin.isTTY) throw usage('Cannot read an archive from a terminal', 'Name a file, or pipe one in')
    return stdin
  }
  try {
    await access(file, constants.R_OK)
  } catch (cause) {
    throw new Failure('not-found', `Cannot read "${file}": ${errnoOf(cause) ?? 'it failed'}`, { cause })
  }
  return createReadStream(file, { highWaterMark: 1 << 20 }) as AsyncIterable<Uint8Array>
}
