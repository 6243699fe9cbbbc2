/** Settings that may be written in two places must agree: `mem_limit` and `deploy.resources.limits.memory`, and so on. */
import type { Problems } from '../lib/problems.ts'
import { get, type MapNode, placeOf, showPlace } from './tree.ts'

const pairs: ReadonlyArray<readonly [key: string, path: readonly string[]]> = [
  ['scale', ['deploy', 'replicas']],
  ['cpus', ['deploy', 'resources', 'limits', 'cpus']],
  ['mem_limit', ['deploy', 'resources', 'limits', 'memory']],
  ['mem_reservation', ['deploy', 'resources', 'reservations', 'memory']],
  ['pids_limit', ['deploy', 'resources', 'limits', 'pids']],
]

/** Adds a problem for each pair that disagrees; `scale` is then written to `deploy.replicas` too. */
export function checkAgreement(root: MapNode, problems: Problems): void {
  const services = get(root, 'services')
  if (services?.kind !== 'map') return
  for (const [name, service] of services.entries) {
    for (const [key, path] of pairs) {
      const one = get(service, key)
      const other = get(service, ...path)
      if (one?.kind !== 'scalar' || one.value === null) continue
      if (
        other?.kind === 'scalar' &&
        other.value !== null &&
        other.value !== one.value &&
        (one.value !== 0 || key === 'scale')
      ) {
        const message = `Cannot set "${key}" to ${one.value}: "${path.join('.')}" says ${other.value} at ${showPlace(placeOf(other))}`
        problems.add({
          severity: 'error',
          code: 'conflicting-keys',
          place: placeOf(one),
          path: ['services', name, key],
          message,
        })
      }
    }
    const deploy = get(service, 'deploy')
    const scale = get(service, 'scale')
    if (deploy?.kind === 'map' && scale?.kind === 'scalar') deploy.entries.set('replicas', { ...scale })
  }
}
