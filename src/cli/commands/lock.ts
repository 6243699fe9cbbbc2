/** Writes down which digests the images of the stack mean now, so that up, run, pull and plan use these until it is said otherwise. */
import { Failure } from '../../lib/failure.ts'
import { command } from '../command.ts'
import { digestsOfImages } from '../image-digests.ts'
import { lockable, lockPath, readLock, writeLock } from '../lock-file.ts'
import { usage } from '../options.ts'
import { checkServices, loadProject } from '../project.ts'

export const lock = command({
  usage: '[OPTIONS]',
  about:
    'Makes compose.lock beside the stack file, to be committed. Images that it has already stay as they are unless --update names them.',
  words: [0, 0],
  options: {
    update: { kind: 'list', value: 'SERVICE', about: "Ask anew what this service's image means; repeat for several" },
    all: { kind: 'flag', about: 'Ask anew for every image' },
  },
  examples: [
    ['tscompose lock', 'the first time, and when images were added'],
    ['tscompose lock --update web', 'take the newest image of web'],
  ],
  async run(call) {
    const { options, screen, globals } = call
    if (options.all && options.update.length > 0) throw usage('--all and --update cannot be given together')
    const { project } = await loadProject(call)
    checkServices(options.update, Object.keys(project.services))
    const of = (name: string) => lockable(project, project.services[name]!)
    for (const name of options.update)
      if (of(name).length === 0)
        throw new Failure(
          'invalid',
          `Cannot lock the image of service "${name}": it is built, or pinned by the stack file`,
        )
    const path = lockPath(project)
    const before = (options.all ? undefined : await readLock(path)) ?? new Map<string, string>()
    const anew = new Set(options.update.flatMap(of))
    const wanted = [...new Set(Object.keys(project.services).flatMap(of))]
    const found = await digestsOfImages(
      call,
      wanted.filter(image => anew.has(image) || !before.has(image)),
    )
    const locked = new Map(wanted.map(image => [image, before.get(image) ?? '']))
    for (const [image, digest] of found) locked.set(image, digest.slice(image.length + 1))
    for (const [image, digest] of [...locked].sort()) {
      const was = before.get(image)
      if (was !== digest) screen.say(` ${image} ${was === undefined ? digest : `${was} → ${digest}`}`)
    }
    for (const image of before.keys()) if (!locked.has(image)) screen.say(` ${image} no longer used`)
    if (!globals['dry-run']) await writeLock(path, locked)
  },
})
