/** The root file system, in a mount namespace of its own. */
import type { HostFacts } from '../host.ts'
import type { ContainerSpec } from '../spec.ts'
import { type Step, step } from '../steps.ts'
import { overlaySteps } from './overlay.ts'
import { slots } from './slots.ts'

/** Private propagation first: nothing that happens in here reaches the host. Then the root. */
export function rootSteps({ root, supervise }: ContainerSpec, facts: HostFacts): Step[] {
  const { kind, layers, upper, work } = root
  const isolate = step('propagation', { flags: 0x4000 | (1 << 18) })
  const place = supervise.directory
  if (kind === 'overlay')
    return [isolate, ...overlaySteps({ layers, changes: { upper, work }, slot: slots.root, place }, facts, 'Image')]
  return [
    isolate,
    step('tree', { slot: slots.root, path: upper, recursive: 0 }, 'Image'),
    step('attach-root', { slot: slots.root, path: place }, 'Image'),
  ]
}
