/**
 * One apply at a time on a project, whoever runs it. The lock is a name in the abstract socket namespace (unix(7)): it dies with
 * its holder, needs no file that another user could not write, and whoever waits is woken by the end of a connection to it.
 */
import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { errnoOf, Failure } from '../lib/failure.ts'
import { type Holder, parseHolder, seatName } from './seat.ts'

export interface LockOptions {
  /** The engine's host as text. */
  readonly host: string
  readonly project: string
  readonly holder: Holder
  /** Called once when somebody else has it; undefined: they have not said who they are yet. */
  readonly onWait: (holder: Holder | undefined) => void
  readonly signal?: AbortSignal | undefined
}

/** Bytes and milliseconds within which a holder says who it is. */
const longestWord = 1000
const wordTimeout = 500

/** @throws Failure `cancelled` when the signal fires while waiting. */
export async function lockProject(options: LockOptions): Promise<AsyncDisposable> {
  const name = seatName('apply', options)
  let told = false
  for (;;) {
    options.signal?.throwIfAborted()
    const server = await listen(name, options.holder)
    if (server) return server
    const ended = await whileHeld(name, options, holder => {
      if (!told) options.onWait(holder)
      told = true
    })
    // nobody listens though the name was taken: its holder is about to, or about to go
    if (!ended) await pause(5)
  }
}

/** The lock; undefined when somebody has it. */
function listen(name: string, holder: Holder): Promise<AsyncDisposable | undefined> {
  const sockets = new Set<Socket>()
  const server: Server = createServer(socket => {
    sockets.add(socket)
    socket.unref()
    // one who waits and goes away is no concern of the holder's
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    socket.write(`${JSON.stringify(holder)}\n`)
  })
  const { promise, resolve, reject } = Promise.withResolvers<AsyncDisposable | undefined>()
  server.once('error', error => {
    if (errnoOf(error) === 'EADDRINUSE') resolve(undefined)
    else reject(new Failure('internal', `Cannot take the lock of the project: ${errnoOf(error)}`, { cause: error }))
  })
  server.listen(name, () => {
    server.unref()
    resolve({
      [Symbol.asyncDispose]: () =>
        new Promise(done => {
          server.close(() => done())
          for (const socket of sockets) socket.destroy()
        }),
    })
  })
  return promise
}

/** Resolves when the holder has gone; false when there was none to reach. */
function whileHeld(
  name: string,
  { signal }: LockOptions,
  tell: (holder: Holder | undefined) => void,
): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>()
  const socket = connect(name)
  let reached = false
  let word = ''
  const silent = setTimeout(() => tell(undefined), wordTimeout)
  const abort = () => {
    socket.destroy()
    reject(new Failure('cancelled', 'Interrupted while waiting for another apply', { cause: signal?.reason }))
  }
  signal?.addEventListener('abort', abort, { once: true })
  socket.setEncoding('utf8')
  socket.on('connect', () => (reached = true))
  socket.on('data', text => {
    if (word.length <= longestWord) word += text
    const end = word.indexOf('\n')
    if (end < 0 && word.length <= longestWord) return
    clearTimeout(silent)
    tell(parseHolder(word.slice(0, end)))
  })
  // its end is what is waited for, however it comes
  socket.on('error', () => {})
  socket.on('close', () => {
    clearTimeout(silent)
    signal?.removeEventListener('abort', abort)
    resolve(reached)
  })
  return promise
}
