/** `down` on a target that is not the engine. */
import type { TargetName } from '../../targets/target.ts'
import type { Call } from '../command.ts'
import { projectName } from '../project.ts'
import { openTarget } from '../targets.ts'
import { alone } from './alone.ts'
import { applyOn } from './apply.ts'
import { refuseOptions } from './refuse-options.ts'

export async function down(call: Call, name: Exclude<TargetName, 'engine'>): Promise<number> {
  refuseOptions(call, name, ['volumes', 'rmi', 'timeout', 'adopt'])
  const [project, target] = await Promise.all([projectName(call), openTarget(call, name)])
  await alone(call, { command: 'down', project }, async () => {
    const seen = await target.observe(project, { signal: call.signal })
    await applyOn(
      call,
      target,
      target.planDown(project, seen, {
        services: call.args.length > 0 ? call.args : undefined,
      }),
    )
  })
  return 0
}
