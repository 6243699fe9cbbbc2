/** Images of services that are built, to their registries; others are not ours to push, as with Compose. */
import { push as pushImage } from '../../apply/push.ts'
import { isFailure, messageOf } from '../../lib/failure.ts'
import { printable } from '../../lib/text.ts'
import type { Service } from '../../model/service.ts'
import { command } from '../command.ts'
import { checkServices, loadProject } from '../project.ts'

export const push = command({
  usage: '[OPTIONS] [SERVICE...]',
  about: 'Pushes "image" and "build.tags" of each service that has "build"; others are left out.',
  options: {
    'ignore-push-failures': { kind: 'flag', about: 'Warn of what cannot be pushed, and go on' },
    'include-deps': { kind: 'flag', about: 'Those of what the named services depend on too' },
    quiet: { kind: 'flag', short: 'q', about: 'Show nothing but failures' },
  },
  async run(call) {
    const { options, screen, args, globals, signal, env } = call
    const { project } = await loadProject(call, args.length > 0 ? { services: args } : {})
    const known = Object.keys(project.services)
    const named = checkServices(args, known) ?? known
    const { serviceGraph } = await import('../../graph/services.ts')
    const chosen = options['include-deps'] ? [...serviceGraph(project).closure(named)] : named
    const say = (text: string) => {
      if (!options.quiet && globals.progress !== 'quiet') screen.say(text)
    }
    const images = chosen.map(name => ({ name, tags: tagsOf(project.services[name]!) }))
    for (const { name, tags } of images) if (tags.length === 0) say(` ${name} Skipped`)
    const wanted = [...new Set(images.flatMap(({ tags }) => tags))]
    if (wanted.length === 0) return
    if (globals['dry-run']) {
      for (const tag of wanted) say(` ${tag} Would be pushed`)
      return
    }
    const client = await call.connect()
    const stop = new AbortController()
    const context = {
      client,
      signal: AbortSignal.any([signal, stop.signal]),
      registryAuth: async (reference: string) => (await import('../registry-auth.ts')).registryAuth(reference, env),
      onProgress: () => undefined,
    }
    const pushed = await Promise.allSettled(
      wanted.map(async tag => {
        say(` ${tag} Pushing`)
        try {
          await pushImage(tag, context)
          say(` ${tag} Pushed`)
        } catch (error) {
          if (!options['ignore-push-failures'] || signal.aborted) {
            stop.abort()
            throw error
          }
          screen.warn(printable(`Pushing ${tag}: ${messageOf(error)}`))
        }
      }),
    )
    // the first one to fail ended the others
    const failed = pushed.filter(each => each.status === 'rejected').map(each => each.reason as unknown)
    const cause = failed.find(error => !isFailure(error, 'cancelled')) ?? failed[0]
    if (cause !== undefined) throw cause
  },
})

/** What Compose pushes of a service. */
function tagsOf({ image, build }: Service): readonly string[] {
  return image === undefined || build === undefined ? [] : [...new Set([image, ...build.tags])]
}
