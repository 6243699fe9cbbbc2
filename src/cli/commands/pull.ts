/** Pulls the images of services, those that are there too. */
import { PlanFailure } from '../../apply/plan-failure.ts'
import { printable } from '../../lib/text.ts'
import { EnginePlan } from '../../targets/engine/engine-plan.ts'
import { applyPlan } from '../apply-plan.ts'
import { command } from '../command.ts'
import { checkServices, loadProject } from '../project.ts'

export const pull = command({
  usage: '[OPTIONS] [SERVICE...]',
  options: {
    'include-deps': { kind: 'flag', about: 'Those of what the named services depend on too' },
    policy: { kind: 'text', value: 'WHEN', choices: ['always', 'missing'], about: 'missing: only what is not there' },
    quiet: { kind: 'flag', short: 'q', about: 'Show nothing but failures' },
    'ignore-pull-failures': { kind: 'flag', about: 'Go on with the others when an image cannot be pulled' },
    'no-parallel': { kind: 'flag', about: 'One image after the other' },
    'ignore-buildable': { kind: 'flag', about: 'Leave out services that are built' },
  },
  examples: [
    ['tscompose pull', 'the images of all services'],
    ['tscompose pull --ignore-buildable', 'those that are not built here'],
  ],
  async run(call) {
    const { options } = call
    const [{ project }, client, { observe }, images, { serviceGraph }] = await Promise.all([
      loadProject(call, { locked: true, ...(call.args.length > 0 && { services: call.args }) }),
      call.connect(),
      import('../../targets/engine/observe.ts'),
      import('../../targets/engine/plan/images.ts'),
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
    const globals = {
      ...call.globals,
      ...(options.quiet && { progress: 'quiet' }),
      ...(options['no-parallel'] && { parallel: 1 }),
    }
    const quiet = { ...call, globals }
    if (!options['ignore-pull-failures']) {
      await applyPlan(quiet, { plan, client, nothing: 'Nothing to pull' })
      return
    }
    for (const { operation } of plan.nodes) {
      const alone = new EnginePlan()
      alone.add(operation)
      await applyPlan(quiet, { plan: alone, client, nothing: '' }).catch(error => {
        if (!(error instanceof PlanFailure)) throw error
        call.screen.warn(printable(error.message))
      })
    }
  },
})
