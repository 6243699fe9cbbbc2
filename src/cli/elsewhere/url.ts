/** `url` on a target that is not the engine. */
import { Failure } from '../../lib/failure.ts'
import type { TargetName } from '../../targets/target.ts'
import { reachedRows } from '../../view/urls.ts'
import type { Call } from '../command.ts'
import { projectName } from '../project.ts'
import { openTarget } from '../targets.ts'
import { printUrls } from '../urls.ts'

export async function url(call: Call, name: Exclude<TargetName, 'engine'>): Promise<number> {
  const { args, signal } = call
  const [project, target] = await Promise.all([projectName(call), openTarget(call, name)])
  if (!target.reached) throw new Failure('unsupported', `The target ${name} does not tell where its ports are`)
  const seen = await target.observe(project, { signal })
  const isWanted = ({ service }: { readonly service: string }) => args.length === 0 || args.includes(service)
  await printUrls(call, project, reachedRows(target.reached(seen).filter(isWanted)))
  return 0
}
