import type { CapabilitySpec, SeccompSpec } from '../spec.ts'
export function filterFor(_s: SeccompSpec, _c: CapabilitySpec, _p: boolean): Buffer | undefined {
  return undefined
}
