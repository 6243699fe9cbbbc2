/** `up` on a target that is not the engine: it ends when everything is up. */
import type { TargetName } from '../../targets/target.ts'
import type { Call } from '../command.ts'
import { openTarget } from '../targets.ts'
import { alone } from './alone.ts'
import { applyOn } from './apply.ts'
import { refuseOptions } from './refuse-options.ts'
import { wantedOf } from './wanted.ts'

const attached = [
  'abort-on-container-exit',
  'abort-on-container-failure',
  'exit-code-from',
  'attach',
  'watch',
  'no-start',
  'snapshot',
]

export async function up(call: Call, name: Exclude<TargetName, 'engine'>): Promise<number> {
  refuseOptions(call, name, attached)
  const [{ project, wish }, target] = await Promise.all([wantedOf(call, name), openTarget(call, name)])
  await alone(call, { command: 'up', project: project.name, target, model: project, wish }, async recorder => {
    const seen = await target.observe(project.name, {
      project,
      wish,
      signal: call.signal,
    })
    const timeout = call.options['wait-timeout'] as number | undefined
    const plan = target.plan(project, seen, wish)
    recorder.plan(plan, target.kept(seen))
    await applyOn(call, target, plan, timeout)
  })
  return 0
}
