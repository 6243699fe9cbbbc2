/** Waits until a writer takes more, or is gone: what went wrong shows in its own events. */
import type { Writable } from 'node:stream'

export function drained(output: Writable): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      output.off('drain', done).off('close', done)
      resolve()
    }
    if (output.destroyed) resolve()
    else output.on('drain', done).on('close', done)
  })
}
