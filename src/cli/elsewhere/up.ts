/** `up` on a target that is not the engine: it ends when everything is up. */
import type { Target, TargetName, Wish } from '../../targets/target.ts'
import type { Call } from '../command.ts'
import { openTarget } from '../targets.ts'
import { alone } from './alone.ts'
import { applyOn } from './apply.ts'
import { pushBuilt, toPush } from './push-built.ts'
import { refuseOptions } from './refuse-options.ts'
import { rehearsedBy } from './rehearsed.ts'
import { type Wanted, wantedOf } from './wanted.ts'

const attached = [
  'abort-on-container-exit',
  'abort-on-container-failure',
  'exit-code-from',
  'attach',
  'watch',
  'no-start',
  'snapshot',
]

/** What the target would refuse is known before anything is built. @throws ProblemsFailure */
async function planned(call: Call, target: Target, { project, wish }: Wanted) {
  const rehearsed = rehearsedBy(call)
  const look = async (wanted: Wish) => {
    const seen = await target.observe(project.name, { project, wish: wanted, rehearsed, signal: call.signal })
    return { seen, plan: target.plan(project, seen, wanted) }
  }
  const first = await look(wish)
  const services = toPush(call, { project, wish, kept: target.kept(first.seen) })
  if (services.length === 0) return first
  const digests = await pushBuilt(call, project, services)
  return digests.size === 0 ? first : await look({ ...wish, digests })
}

export async function up(call: Call, name: Exclude<TargetName, 'engine'>): Promise<number> {
  refuseOptions(call, name, attached)
  const [{ project, wish }, target] = await Promise.all([wantedOf(call, name), openTarget(call, name)])
  await alone(call, { command: 'up', project: project.name, target, model: project, wish }, async recorder => {
    const timeout = call.options['wait-timeout'] as number | undefined
    const { seen, plan } = await planned(call, target, { project, wish })
    recorder.plan(plan, target.kept(seen))
    await applyOn(call, target, plan, timeout)
  })
  return 0
}
