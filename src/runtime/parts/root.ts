/** The root file system, in a mount namespace of its own. */
import type { HostFacts } from '../host.ts'
import type { ContainerSpec } from '../spec.ts'
import { type Step, step } from '../steps.ts'
import { overlaySteps } from './overlay.ts'
import { slots } from './slots.ts'
import { idsOf, mapSteps } from './user-namespace.ts'

/** Private propagation first: nothing that happens in here reaches the host. Then the root. */
export function rootSteps({ root, supervise, namespaces }: ContainerSpec, facts: HostFacts): Step[] {
  const { kind, layers, mountPoints, upper, work } = root
  const isolate = step('propagation', { flags: 0x4000 | (1 << 18) })
  const place = supervise.directory
  const ids = idsOf(namespaces.user)
  if (kind === 'overlay')
    return [
      isolate,
      ...overlaySteps(
        { layers, beneath: mountPoints, changes: { upper, work }, slot: slots.root, place, ids },
        facts,
        'Image',
      ),
    ]
  return [
    isolate,
    step('tree', { slot: slots.root, path: upper, recursive: 0 }, 'Image'),
    ...mapSteps(slots.root, upper, false, ids),
    ...(ids ? [] : [step('attach-root', { slot: slots.root, path: place }, 'Image')]),
  ]
}

/** One with mapped ids is attached by whoever has entered the mount namespace that it is the root of: over all, for want of a folder it may enter. */
export const attachMapped = step('attach-root', { slot: slots.root, path: '/' }, 'Image')
