/** Waits until a client has taken what was written to it. */
import type { Duplex } from 'node:stream'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { errnoOf } from '../../lib/failure.ts'

/** Bytes that the reader of a connection has not taken yet. */
export type Unread = (fd: number) => number

/** A client that takes this long is not waited for. */
const patience = 2000

/**
 * Clients that read the head of an answer with a buffer of their own lose what comes in the same piece as the 101 (docker-py). The kernel tells how much
 * lies unread, but not when it was read, so we look, at first without a pause: most have read it by the second look.
 */
export async function arrived(socket: Duplex, unread: Unread): Promise<void> {
  const fd = (socket as { readonly _handle?: { readonly fd?: number } })._handle?.fd
  if (fd === undefined || fd < 0) return
  const until = performance.now() + patience
  try {
    for (let look = 0; !socket.destroyed && unread(fd) > 0 && performance.now() < until; look++)
      await (look < 20 ? setImmediate() : setTimeout(look < 100 ? 1 : 10))
  } catch (error) {
    // closed meanwhile, or a connection that cannot tell
    if (errnoOf(error) === undefined) throw error
  }
}
