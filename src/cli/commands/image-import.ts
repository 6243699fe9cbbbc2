/** An image out of a root file system in a tar archive. */
import { imageEndpoints } from '../../api/images.ts'
import { command } from '../command.ts'
import { readProgress } from '../image-progress.ts'
import { usage } from '../options.ts'
import { inputOf } from './image-load.ts'

export const imageImport = command({
  usage: '[OPTIONS] FILE|- [REFERENCE]',
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
    const [file, reference] = args
    if (file === undefined || args.length > 2) throw usage('"image import" takes a file and a reference')
    const body = await inputOf(file, stdin)
    const client = await connect()
    const { repo, tag } = split(reference)
    const lines = await client.stream(
      imageEndpoints.imageCreate,
      {
        query: {
          fromSrc: '-',
          ...(repo === undefined ? {} : { repo }),
          ...(tag === undefined ? {} : { tag }),
          ...(options.message === undefined ? {} : { message: options.message }),
          ...(options.platform === undefined ? {} : { platform: options.platform }),
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

/** `shop/base:1` → repository and tag; the colon of a registry's port is none. */
function split(reference: string | undefined): { repo?: string; tag?: string } {
  if (reference === undefined) return {}
  const colon = reference.lastIndexOf(':')
  return colon > reference.lastIndexOf('/')
    ? { repo: reference.slice(0, colon), tag: reference.slice(colon + 1) }
    : { repo: reference }
}
