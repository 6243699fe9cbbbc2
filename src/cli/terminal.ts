/** This terminal joined to a process in a container: raw mode, window size, detach keys; always put back as it was. */
import type { Hijacked } from '../client/client.ts'
import { DetachKeys } from '../lib/detach-keys.ts'
import { Failure, isFailure } from '../lib/failure.ts'
import type { Screen } from './screen.ts'

/** process.stdin, or a stream in tests. */
export interface Input extends AsyncIterable<Uint8Array> {
  readonly isTTY?: boolean
  readonly isRaw?: boolean
  setRawMode?(raw: boolean): unknown
}

export interface Joined {
  readonly session: Hijacked
  readonly screen: Screen
  /** Undefined: nothing is sent, the process sees the end of its input at once. */
  readonly stdin: Input | undefined
  /** The keys that leave it running, instead of ctrl-p,ctrl-q. */
  readonly keys?: string | undefined
  /** Called at once and whenever the window changes; only with a terminal. */
  readonly resize?: (rows: number, columns: number) => Promise<unknown>
}

/** Passes bytes both ways until the process has ended or the user has pressed the detach keys. */
export async function join({ session, screen, stdin, keys, resize }: Joined): Promise<'ended' | 'detached'> {
  const raw = session.tty && stdin?.isTTY === true
  const detached = Promise.withResolvers<'detached'>()
  using _mode = raw ? rawMode(stdin) : undefined
  using _size = session.tty && resize ? followSize(screen, resize) : undefined
  if (stdin) {
    // Reading goes on until the process ends; it is not awaited, since a terminal never ends by itself.
    send(stdin, session, raw ? new DetachKeys(keys) : undefined).then(how => {
      if (how === 'detached') detached.resolve(how)
    }, detached.reject)
  } else session.socket.end()
  const ended = receive(session, screen)
  const how = await Promise.race([ended, detached.promise])
  if (how === 'detached') session.socket.destroy()
  // the loser of the race: its connection was closed on purpose
  ended.catch(() => undefined)
  return how
}

async function receive(session: Hijacked, screen: Screen): Promise<'ended'> {
  for await (const { stream, data } of session.output) screen[stream].write(data)
  return 'ended'
}

async function send(stdin: Input, { socket }: Hijacked, keys: DetachKeys | undefined): Promise<'detached' | 'ended'> {
  for await (const piece of stdin) {
    const found = keys ? keys.push(piece) : { pass: piece, detach: false }
    // a process that has ended reads no more; what it left unread is nobody's
    if (found.pass.length > 0 && socket.writable && !socket.write(found.pass)) await drained(socket)
    if (found.detach) return 'detached'
    if (!socket.writable) return 'ended'
  }
  // The end of our input is the end of its input; output goes on.
  if (socket.writable) socket.end()
  return 'ended'
}

function drained(socket: Hijacked['socket']): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      socket.off('drain', done).off('close', done)
      resolve()
    }
    socket.on('drain', done).on('close', done)
  })
}

function rawMode(stdin: Input): Disposable {
  if (!stdin.setRawMode) throw new Failure('invalid', 'Cannot use the terminal: its input cannot be set to raw mode')
  stdin.setRawMode(true)
  return { [Symbol.dispose]: () => void stdin.setRawMode?.(false) }
}

function followSize(screen: Screen, resize: (rows: number, columns: number) => Promise<unknown>): Disposable {
  const { stdout } = screen
  const tell = () => {
    if (!stdout.rows || !stdout.columns) return
    resize(stdout.rows, stdout.columns).catch(error => {
      // The process may be about to start or have just ended; the next change of size tells again.
      if (!isFailure(error)) throw error
    })
  }
  tell()
  stdout.on?.('resize', tell)
  return { [Symbol.dispose]: () => void stdout.off?.('resize', tell) }
}
