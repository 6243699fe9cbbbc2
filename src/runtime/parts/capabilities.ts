/** Capability names → bits. */
import { capabilityNames } from '../../lib/capabilities.ts'
import { Failure } from '../../lib/failure.ts'
import type { HostFacts } from '../host.ts'
import type { CapabilitySpec } from '../spec.ts'
import { type Step, step } from '../steps.ts'

/** @throws Failure `invalid` for a name the kernel does not know. */
export function capabilityMask(names: readonly string[]): bigint {
  return names.reduce((mask, name) => {
    const number = capabilityNames.indexOf(name)
    if (number < 0) throw new Failure('invalid', `Cannot grant capability "${name}": it is not known`)
    return mask | (1n << BigInt(number))
  }, 0n)
}

/** What the spec grants and the engine has: it cannot give more. The bounding set goes first, while we may still change it. */
export function capabilitySteps(spec: CapabilitySpec, facts: HostFacts): { readonly bound: Step; readonly set: Step } {
  const bounding = capabilityMask(spec.bounding) & facts.capabilities
  const effective = capabilityMask(spec.effective) & bounding
  const cause = 'HostConfig.CapAdd, HostConfig.CapDrop'
  return {
    bound: step('bound', { capabilities: Number(bounding), last: facts.lastCapability }, cause),
    set: step('capabilities', { effective: Number(effective), permitted: Number(effective) }, cause),
  }
}
