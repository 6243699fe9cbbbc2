/** A fault of ours, for whoever runs the server: its message, and with NODE_DEBUG=tscompose:web where it happened. */
import { debug } from '../lib/debug.ts'
import { messageOf } from '../lib/failure.ts'

const log = debug('web')

export function report(error: unknown): void {
  console.error(`tscompose web: ${messageOf(error)}`)
  if (error instanceof Error) log('%s', error.stack)
}
