/** Asks a unix socket whether an engine is behind it. */
import { connect as connectSocket } from 'node:net'

/** Whether someone listens on the socket; a fraction of a millisecond, and the only sure sign. */
export function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket({ path })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(false)
      // EACCES: an engine is there, not for this user; the client's first call says so in full
      else if (error.code === 'EACCES' || error.code === 'EPERM') resolve(true)
      else reject(error)
    })
  })
}
