/** Images of services that are built, of which none can be yet: where there is nothing to build it is done at once. */
import { refuseBuild } from '../bring-up.ts'
import { command } from '../command.ts'
import { checkServices, loadProject } from '../project.ts'

export const build = command({
  usage: '[OPTIONS] [SERVICE...]',
  about: 'Refused for services with "build": images cannot be built yet.',
  options: { quiet: { kind: 'flag', short: 'q', about: 'Show nothing but failures' } },
  async run(call) {
    const { project } = await loadProject(call, call.args.length > 0 ? { services: call.args } : {})
    const known = Object.keys(project.services)
    refuseBuild(project, checkServices(call.args, known) ?? known)
    if (!call.options.quiet) call.screen.warn('No services to build')
  },
})
