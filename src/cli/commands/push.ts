/** Images of services that are built, to their registries; others are not ours to push, as with Compose. */
import { command } from '../command.ts'
import { checkServices, loadProject } from '../project.ts'
import { pushedTags, pushImages } from '../push-images.ts'

export const push = command({
  usage: '[OPTIONS] [SERVICE...]',
  about: 'Pushes "image" and "build.tags" of each service that has "build"; others are left out.',
  options: {
    'ignore-push-failures': { kind: 'flag', about: 'Warn of what cannot be pushed, and go on' },
    'include-deps': { kind: 'flag', about: 'Those of what the named services depend on too' },
    quiet: { kind: 'flag', short: 'q', about: 'Show nothing but failures' },
  },
  examples: [['tscompose push', 'the images that were built']],
  async run(call) {
    const { options, screen, args, globals } = call
    const { project } = await loadProject(call, args.length > 0 ? { services: args } : {})
    const known = Object.keys(project.services)
    const named = checkServices(args, known) ?? known
    const { serviceGraph } = await import('../../graph/services.ts')
    const chosen = options['include-deps'] ? [...serviceGraph(project).closure(named)] : named
    const say = (text: string) => {
      if (!options.quiet && globals.progress !== 'quiet') screen.say(text)
    }
    const images = chosen.map(name => ({ name, tags: pushedTags(project.services[name]!) }))
    for (const { name, tags } of images) if (tags.length === 0) say(` ${name} Skipped`)
    const wanted = [...new Set(images.flatMap(({ tags }) => tags))]
    if (wanted.length === 0) return
    if (globals['dry-run']) {
      for (const tag of wanted) say(` ${tag} Would be pushed`)
      return
    }
    const client = await call.connect()
    const quiet = options.quiet || globals.progress === 'quiet'
    await pushImages(call, wanted, { client, quiet, ignoreFailures: options['ignore-push-failures'] })
  },
})
