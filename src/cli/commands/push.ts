/** Images of services that are built, to their registries; others are not ours to push, as with Compose. */

import { command } from '../command.ts'
import { usage } from '../options.ts'
import { checkServices, loadProject } from '../project.ts'

export const push = command({
  usage: '[OPTIONS] [SERVICE...]',
  about: 'Refused for services with "build": images cannot be built, and so not pushed, yet. Others are left out.',
  options: {
    'ignore-push-failures': { kind: 'flag', about: 'Warn of what cannot be pushed, and go on' },
    'include-deps': { kind: 'flag', about: 'Those of what the named services depend on too' },
    quiet: { kind: 'flag', short: 'q', about: 'Show nothing but failures' },
  },
  async run(call) {
    const { options, screen, args } = call
    const { project } = await loadProject(call, args.length > 0 ? { services: args } : {})
    const known = Object.keys(project.services)
    const named = checkServices(args, known) ?? known
    const { serviceGraph } = await import('../../graph/services.ts')
    const chosen = options['include-deps'] ? serviceGraph(project).closure(named) : named
    for (const name of chosen) {
      const isBuilt = project.services[name]!.build !== undefined
      const why = `Cannot push the image of service "${name}": images cannot be built yet`
      if (isBuilt && !options['ignore-push-failures']) throw usage(why)
      if (isBuilt) screen.warn(why)
      else if (!options.quiet) screen.say(` ${name} Skipped`)
    }
  },
})
