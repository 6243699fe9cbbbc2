/** An image out of a root file system in a tar archive. */
import { imageEndpoints } from '../../api/images.ts'
import { command } from '../command.ts'
import { readProgress } from '../image-progress.ts'
import { splitReference } from '../image-reference.ts'
import { inputOf } from './image-load.ts'

export const imageImport = command({
  usage: '[OPTIONS] FILE|- [REFERENCE]',
  words: [1, 2],
  options: {
    change: {
      kind: 'list',
      short: 'c',
      value: 'INSTRUCTION',
      about: 'A Dockerfile instruction: CMD, ENV, EXPOSE, USER, WORKDIR …',
    },
    message: { kind: 'text', short: 'm', value: 'TEXT', about: 'A comment in the history of the image' },
    platform: { kind: 'text', value: 'PLATFORM', about: 'OS/ARCH of its content (default: this machine)' },
  },
  examples: [[`tscompose image import -c 'CMD ["sh"]' rootfs.tar shop/base:1`, 'a root made by debootstrap']],
  async run({ options, args, screen, stdin, signal, connect }) {
    const [file, reference] = args as [string, string?]
    const body = await inputOf(file, stdin)
    const client = await connect()
    const lines = await client.stream(
      imageEndpoints.imageCreate,
      {
        query: {
          fromSrc: '-',
          ...splitReference(reference),
          message: options.message,
          platform: options.platform,
          changes: options.change,
        },
        body,
      },
      { signal },
    )
    const id = await readProgress(lines, screen)
    if (id !== undefined) screen.print(id)
  },
})
