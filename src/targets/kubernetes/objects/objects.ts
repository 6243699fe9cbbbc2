/** All objects of a stack, in the order in which they are written. */
import { keyOf, kindNames } from '../manifest.ts'
import type { Input, Wanted } from './given-input.ts'
import { networkPolicies } from './networks.ts'
import { refuseService } from './refusals.ts'
import { serviceObjects } from './services.ts'
import { claims } from './volumes.ts'
import { workload } from './workload.ts'

/** What cannot be had is told to `input.refuse`, and left out. */
export function objectsOf(input: Input): readonly Wanted[] {
  const services = input.services.filter(service => !refuseService(input, service))
  const all = [
    ...claims(input),
    ...networkPolicies(input),
    ...services.flatMap(service => [...serviceObjects(input, service), ...workload(input, service)]),
  ]
  const found = new Map<string, Wanted>()
  for (const wanted of all) {
    const key = keyOf(wanted.manifest)
    const other = found.get(key)
    // several services may have one config
    if (other && JSON.stringify(other.manifest) !== JSON.stringify(wanted.manifest))
      input.refuse(wanted.path, {
        code: 'same-name',
        message: `Cannot have two objects "${key}": ${other.path.join('.')} is called so too`,
        hint: 'Give one of them another name',
      })
    else found.set(key, wanted)
  }
  const rank = ({ manifest: { kind, metadata } }: Wanted) =>
    `${kindNames.indexOf(kind)}`.padStart(2, '0') + metadata.name
  return [...found.values()].sort((a, b) => (rank(a) < rank(b) ? -1 : 1))
}
