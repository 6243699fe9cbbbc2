/** `debug('plan')` over node:util debuglog: NODE_DEBUG=tscompose:plan, or tscompose:* for all. */
import { debuglog } from 'node:util'

export function debug(section: string): (format: string, ...args: readonly unknown[]) => void {
  return debuglog(`tscompose:${section}`)
}
