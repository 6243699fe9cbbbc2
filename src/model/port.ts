/** One port published on the host; ranges are expanded before. */

import type { Protocol } from '../lib/ports.ts'

export interface Port {
  readonly target: number
  /** One port, or a range "8000-8010" from which the engine takes a free one; undefined: any free port. */
  readonly published?: string
  readonly protocol: Protocol
  /** Address of the host; undefined: all. */
  readonly hostIp?: string
  readonly mode: 'ingress' | 'host'
  readonly name?: string
  readonly appProtocol?: string
  /** Path of the entry in the stack file, for its place: ['services', 'web', 'ports', '0']. */
  readonly path: readonly string[]
}
