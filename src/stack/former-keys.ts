/** Keys that Compose has given another name since, and still takes by the old one, with a warning. */
import type { Problems } from '../lib/problems.ts'
import { get, type Node, placeOf } from './tree.ts'

/** Of a rule of `develop.watch`. */
export const formerInitialSync = 'x-initialSync'

/** Of a finished tree. */
export function warnFormerKeys(root: Node, problems: Problems): void {
  const services = get(root, 'services')
  for (const [name, service] of services?.kind === 'map' ? services.entries : []) {
    const rules = get(service, 'develop', 'watch')
    for (const [i, rule] of rules?.kind === 'list' ? rules.items.entries() : []) {
      const node = get(rule, formerInitialSync)
      if (!node) continue
      problems.add({
        severity: 'warning',
        code: 'obsolete-key',
        place: placeOf(node, 'key'),
        path: ['services', name, 'develop', 'watch', String(i), formerInitialSync],
        message: `"${formerInitialSync}" is a former name of "initial_sync"`,
        hint: 'Write "initial_sync"',
      })
    }
  }
}
