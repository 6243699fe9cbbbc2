/** `down` on a target that is not the engine. */
import type { TargetName } from '../../targets/target.ts'
import type { Call } from '../command.ts'
import { confirm } from '../confirm.ts'
import { projectName } from '../project.ts'
import { openTarget } from '../targets.ts'
import { alone } from './alone.ts'
import { applyOn } from './apply.ts'
import { refuseOptions } from './refuse-options.ts'

export async function down(call: Call, name: Exclude<TargetName, 'engine'>): Promise<number> {
  refuseOptions(call, name, [...(name === 'kubernetes' ? [] : ['volumes']), 'rmi', 'timeout', 'adopt'])
  const [project, target] = await Promise.all([projectName(call), openTarget(call, name)])
  return await alone(call, { command: 'down', project, target }, async recorder => {
    const seen = await target.observe(project, { signal: call.signal })
    const plan = target.planDown(project, seen, {
      services: call.args.length > 0 ? call.args : undefined,
      volumes: call.options['volumes'] === true,
    })
    if (!(await confirm(call, plan, { yes: call.options['yes'] === true }))) return 1
    recorder.plan(plan, target.kept(seen))
    await applyOn(call, target, plan)
    return 0
  })
}
