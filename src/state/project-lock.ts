/**
 * One apply at a time on a project, whoever runs it. The lock is a name in the abstract socket namespace (unix(7)): it dies with
 * its holder, needs no file that another user could not write, and whoever waits is woken by the end of a connection to it.
 */
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { Failure } from '../lib/failure.ts'
import { type Holder, parseHolder, seatName, takeSeat } from './seat.ts'

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
    const server = await takeSeat(name, { holder: options.holder, what: 'the lock of the project' })
    if (server) return server
    const ended = await whileHeld(name, options, holder => {
      if (!told) options.onWait(holder)
      told = true
    })
    // nobody listens though the name was taken: its holder is about to, or about to go
    if (!ended) await pause(5)
  }
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
