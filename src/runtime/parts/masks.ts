/** Kernel files hidden or made read-only, by paths resolved inside the root. */
import type { ContainerSpec } from '../spec.ts'
import { type Step, step } from '../steps.ts'

export function maskSteps(spec: ContainerSpec): Step[] {
  return [
    ...spec.readonlyPaths.map(path => step('read-only', { path }, 'HostConfig.ReadonlyPaths')),
    ...spec.maskedPaths.map(path => step('mask', { path }, 'HostConfig.MaskedPaths')),
  ]
}
