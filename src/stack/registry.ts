/** `x-registry`, of the stack: where images that are built go, for targets whose nodes pull: "registry.example.com/team". */
import type { Problems } from '../lib/problems.ts'
import { get, type MapNode, placeOf } from './tree.ts'
import type { View } from './view.ts'

const key = 'x-registry'
/** A host with a dot, a port, or localhost, and the path below it (OCI distribution spec, "Pulling manifests"). */
const place =
  /^(?:localhost|(?=[^/]*[.:])(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\]))(?::\d{1,5})?(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/

export function checkRegistry(root: MapNode, problems: Problems): void {
  const found = get(root, key)
  if (found === undefined || (found.kind === 'scalar' && typeof found.value === 'string' && place.test(found.value)))
    return
  problems.add({
    severity: 'error',
    code: 'bad-value',
    place: placeOf(found),
    path: [key],
    message: `Cannot use ${found.kind === 'scalar' ? JSON.stringify(found.value) : `a ${found.kind}`} as "${key}": it is no place in a registry`,
    hint: 'Write it without a scheme and a tag, such as registry.example.com/team',
  })
}

export function toRegistry(root: View): string | undefined {
  return root.text(key)
}
