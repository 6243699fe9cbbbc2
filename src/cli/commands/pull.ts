/** Pulls the images of services, those that are there too. */
import { applyPlan } from '../apply-plan.ts'
import { command } from '../command.ts'
import { checkServices, loadProject } from '../project.ts'

export const pull = command({
  usage: '[OPTIONS] [SERVICE...]',
  options: {
    'include-deps': { kind: 'flag', about: 'Those of what the named services depend on too' },
    policy: { kind: 'text', value: 'WHEN', choices: ['always', 'missing'], about: 'missing: only what is not there' },
    quiet: { kind: 'flag', short: 'q', about: 'Show nothing but failures' },
    'ignore-buildable': { kind: 'flag', about: 'Leave out services that are built' },
  },
  async run(call) {
    const { options } = call
    const [{ project }, client, { observe }, images, { serviceGraph }] = await Promise.all([
      loadProject(call, call.args.length > 0 ? { services: call.args } : {}),
      call.connect(),
      import('../../apply/observe.ts'),
      import('../../plan/images.ts'),
      import('../../graph/services.ts'),
    ])
    const named = checkServices(call.args, Object.keys(project.services)) ?? Object.keys(project.services)
    const chosen = options['include-deps'] ? [...serviceGraph(project).closure(named)] : named
    const services = chosen.filter(name => !options['ignore-buildable'] || project.services[name]!.build === undefined)
    const observed = await observe(client, project.name, { signal: call.signal, images: images.imagesOf(project) })
    const plan = images.planPull(project, observed, {
      services,
      when: options.policy === 'missing' ? 'missing' : 'always',
    })
    const quiet = options.quiet ? { ...call, globals: { ...call.globals, progress: 'quiet' } } : call
    await applyPlan(quiet, { plan, client, nothing: 'Nothing to pull' })
  },
})
