/** A named volume of the stack. */
import type { Strings } from './strings.ts'

export interface Volume {
  /** The key in the stack. */
  readonly key: string
  /** The engine's name for it: `shop_data`, or `name:`. */
  readonly name: string
  readonly external: boolean
  /** Undefined: the engine's default. */
  readonly driver?: string
  readonly driverOpts: Strings
  readonly labels: Strings
}
