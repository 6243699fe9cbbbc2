/** Pulls the images of services, those that are there too unless pull_policy says otherwise. */
import { PlanFailure } from '../../apply/plan-failure.ts'
import { printable } from '../../lib/text.ts'
import { applyPlan } from '../apply-plan.ts'
import { command } from '../command.ts'
import { checkServices, loadProject } from '../project.ts'

export const pull = command({
  usage: '[OPTIONS] [SERVICE...]',
  options: {
    'include-deps': { kind: 'flag', about: 'Those of what the named services depend on too' },
    policy: {
      kind: 'text',
      value: 'WHEN',
      choices: ['always', 'missing'],
      about: "Instead of each service's pull_policy; missing: what is not there, and what is :latest",
    },
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
    const [{ project }, client, { observe }, { imagesOf }, { planAskedPulls }, { serviceGraph }] = await Promise.all([
      loadProject(call, { locked: true, ...(call.args.length > 0 && { services: call.args }) }),
      call.connect(),
      import('../../targets/engine/observe.ts'),
      import('../../targets/engine/plan/images.ts'),
      import('../../targets/engine/plan/pull.ts'),
      import('../../graph/services.ts'),
    ])
    const named = checkServices(call.args, Object.keys(project.services)) ?? Object.keys(project.services)
    const chosen = options['include-deps'] ? [...serviceGraph(project).closure(named)] : named
    const services = chosen.filter(name => !options['ignore-buildable'] || project.services[name]!.build === undefined)
    const observed = await observe(client, project.name, { signal: call.signal, images: imagesOf(project) })
    const { plan, buildable, skipped } = planAskedPulls(project, observed, {
      services,
      policy: options.policy as 'always' | 'missing' | undefined,
    })
    const globals = {
      ...call.globals,
      ...(options.quiet && { progress: 'quiet' }),
      ...(options['no-parallel'] && { parallel: 1 }),
    }
    const told = { ...call, globals }
    if (!options.quiet)
      for (const { service, why } of skipped) call.screen.say(` ${printable(service)} Skipped - ${why}`)
    const ignored = options['ignore-pull-failures'] === true
    try {
      await applyPlan(told, {
        plan,
        client,
        stack: project,
        nothing: skipped.length > 0 ? '' : 'Nothing to pull',
        goesOn: ({ operation }) => ignored || buildable.has(operation.name),
      })
    } catch (error) {
      if (!(error instanceof PlanFailure)) throw error
      const toBuild = error.failed.flatMap(({ node }) => buildable.get(node.operation.name) ?? [])
      if (ignored) for (const { failure } of error.failed) call.screen.warn(printable(failure.message))
      if (toBuild.length > 0)
        call.screen.warn(
          `Some service image(s) must be built from source by running:\n    tscompose build ${toBuild.join(' ')}`,
        )
      if (!ignored) throw error
    }
  },
})
