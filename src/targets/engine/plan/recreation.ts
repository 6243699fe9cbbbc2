/** In what a new container differs from the one that it replaces. */
import type { ContainerCreate } from '../../../api/container-body.ts'
import type { Change } from '../../../plan/change.ts'
import type { Ref } from '../../../plan/operation.ts'
import { labels, parseFields } from '../labels.ts'
import type { ObservedContainer } from '../observed.ts'
import { fieldChanges } from './field-changes.ts'
import type { Hashed } from './hash.ts'
import { settled, textChanges } from './live-fields.ts'
import { toBeMade } from './made.ts'

export interface Replacement {
  readonly hashed: Hashed
  readonly body: ContainerCreate
  readonly name: string
  /** Its id, when it is here already. */
  readonly image: Ref | undefined
  /** What of it could have been put right on a container as it is. */
  readonly live: readonly Change[]
}

/** Empty when it is replaced for another reason than what the stack says of it. */
export function recreationChanges(old: ObservedContainer, { hashed, body, name, image, live }: Replacement) {
  const changes: Change[] = []
  const imageId = old.labels[labels.image] ?? old.imageId
  if (typeof image === 'string' && image !== imageId)
    changes.push({ path: 'image digest', from: shortDigest(imageId), to: shortDigest(image) })
  const same = old.labels[labels.configHash] === hashed.hash
  const texts = textChanges(parseFields(old.labels[labels.fields]) ?? {}, hashed.fields)
  if (same) return [...changes, ...live, ...texts]
  const fields = parseFields(old.labels[labels.fields])
  const before = fields && settled(fields)
  const after = settled(hashed.fields)
  return [
    ...changes,
    ...fieldChanges({ before, after, made: old.made, wanted: toBeMade(name, body) }),
    ...live,
    ...texts,
  ]
}

/** "sha256:" and 64 digits → 12 of them. */
export function shortDigest(id: string): string {
  return id.replace(/^sha256:([0-9a-f]{12})[0-9a-f]+$/, '$1')
}
