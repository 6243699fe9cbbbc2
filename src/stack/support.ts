/** How each attribute of the format is honoured by this runtime; `tscompose support` prints it, loading warns by it. */
import { Failure } from '../lib/failure.ts'

export interface Support {
  /** "services.*.ports.*.name": `*` stands for a name or an index. */
  readonly path: string
  readonly level: 'honoured' | 'partly' | 'no'
  /** Why not, or what part; undefined when honoured. */
  readonly note?: string
}

/** All attributes, in the order of the schema. */
export function supportTable(): readonly Support[] {
  throw new Failure('internal', 'Not yet written')
}

import type { Problems } from '../lib/problems.ts'
import type { MapNode } from './tree.ts'
/** Warns once. */
export function warnUnsupported(_tree: MapNode, _problems: Problems): void {}
