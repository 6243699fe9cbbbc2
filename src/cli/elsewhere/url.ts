/** `url` on a target that is not the engine; where ports are reached in the target alone they are led there until it ends. */
import { Failure } from '../../lib/failure.ts'
import { printable } from '../../lib/text.ts'
import type { TargetName } from '../../targets/target.ts'
import { reachedRows } from '../../view/urls.ts'
import type { Call } from '../command.ts'
import { projectName } from '../project.ts'
import { openTarget } from '../targets.ts'
import { printUrls } from '../urls.ts'

export async function url(call: Call, name: Exclude<TargetName, 'engine'>): Promise<number> {
  const { args, screen, signal } = call
  const [project, target] = await Promise.all([projectName(call), openTarget(call, name)])
  const services = args.length > 0 ? args : undefined
  if (target.forward) {
    const onFailure = (text: string) => screen.warn(printable(text))
    await using forwarded = await target.forward(project, { services, signal, onFailure })
    await printUrls(call, project, reachedRows(forwarded.reached))
    if (forwarded.reached.length === 0) return 0
    screen.say('They are led there until this ends: ^C')
    await interrupted(signal)
    return 130
  }
  if (!target.reached) throw new Failure('unsupported', `The target ${name} does not tell where its ports are`)
  const seen = await target.observe(project, { signal })
  const isWanted = ({ service }: { readonly service: string }) => services?.includes(service) ?? true
  await printUrls(call, project, reachedRows(target.reached(seen).filter(isWanted)))
  return 0
}

function interrupted(signal: AbortSignal): Promise<void> {
  return new Promise(done => {
    if (signal.aborted) done()
    else signal.addEventListener('abort', () => done(), { once: true })
  })
}
