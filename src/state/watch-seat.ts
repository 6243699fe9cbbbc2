/**
 * Who watches a project in a terminal: at most one at a time. Whoever works on the project meanwhile asks the watch to stand back;
 * the keeper waits for its end. Both by a connection to a name that dies with the watch.
 */
import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { Failure } from '../lib/failure.ts'
import { type Holder, parseHolder, type SeatOf, seatName, takeSeat } from './seat.ts'

/** What a person's command says of itself. */
export interface TurnWord {
  /** An `up`, which says itself what is wanted. */
  readonly making: boolean
  /** Service → replicas, where it asks for some. */
  readonly scale?: Readonly<Record<string, number>> | undefined
}

/** Of words on a line: a name and its replicas, many times over. */
const longestWord = 64 * 1024
/** Milliseconds within which whoever sits there says who it is. */
const wordTimeout = 500
/** Within which a watch stands back; one that does not is stopped itself (^Z), and does nothing. */
const patience = 5000

/**
 * Takes the place of the one who watches. `turn` is called for each command that wants the project for itself, and what it gives when that has ended;
 * `failed` hears why one was not given, while the command goes on.
 * @throws Failure `conflict` when somebody watches it already
 */
export async function takeWatchSeat(
  seat: SeatOf & { readonly holder: Holder; turn(word: TurnWord): Promise<() => void>; failed(error: unknown): void },
): Promise<AsyncDisposable> {
  for (;;) {
    const taken = await takeSeat(seatName('watch', seat), {
      holder: seat.holder,
      what: 'the place of a watch',
      serve: socket => giveTurn(socket, seat),
    })
    if (taken) return taken
    const other = await findWatch(seat)
    // gone in between
    if (!other) continue
    other.leave()
    const { user, pid } = other.holder ?? {}
    throw new Failure(
      'conflict',
      `Cannot watch "${seat.project}": ${user === undefined ? 'another process' : `${user} (process ${pid})`} watches it already`,
      { hint: 'End that watch first, or use "tscompose logs -f" to follow what runs' },
    )
  }
}

export interface OtherWatch {
  readonly holder: Holder | undefined
  /** Resolves when it has ended, or was left. */
  readonly ended: Promise<void>
  leave(): void
}

/** The watch of a project; undefined when nobody watches it. */
export async function findWatch(seat: SeatOf): Promise<OtherWatch | undefined> {
  const socket = connect(seatName('watch', seat))
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  const first = firstLine(socket)
  socket.on('error', () => undefined)
  socket.on('close', () => end())
  const reached = await Promise.race([connected(socket), ended.then(() => false)])
  if (!reached) return undefined
  const line = await first
  return { holder: line === undefined ? undefined : parseHolder(line), ended, leave: () => socket.destroy() }
}

/** Has a watch of the project, where there is one, stand back until the result is disposed of. */
export async function turnAtWatch(seat: SeatOf, word: TurnWord): Promise<AsyncDisposable> {
  const socket = connect(seatName('watch', seat))
  const closed = new Promise<void>(resolve => socket.once('close', () => resolve()))
  // one that ends meanwhile is in nobody's way
  socket.on('error', () => undefined)
  const granted = new Promise<void>(resolve => {
    let lines = 0
    socket.on('data', data => {
      // who it is, and that it stands back
      lines += data.filter(byte => byte === 0x0a).length
      if (lines >= 2) resolve()
    })
  })
  if (await Promise.race([connected(socket), closed.then(() => false)])) {
    socket.write(`${JSON.stringify(word)}\n`)
    const late = new AbortController()
    await Promise.race([granted, closed, pause(patience, undefined, { signal: late.signal }).catch(() => undefined)])
    late.abort()
  }
  socket.unref()
  return {
    async [Symbol.asyncDispose]() {
      socket.destroy()
      await closed
    },
  }
}

function connected(socket: Socket): Promise<true> {
  return new Promise(resolve => socket.once('connect', () => resolve(true)))
}

/** Undefined when none comes in time. */
function firstLine(socket: Socket): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  const late = setTimeout(() => resolve(undefined), wordTimeout)
  let text = ''
  socket.setEncoding('utf8')
  const hear = (piece: string): void => {
    text += piece
    const end = text.indexOf('\n')
    if (end >= 0) resolve(text.slice(0, end))
    if (end >= 0 || text.length > longestWord) socket.off('data', hear).resume()
  }
  socket.on('data', hear)
  socket.once('close', () => resolve(undefined))
  return promise.finally(() => clearTimeout(late))
}

/** One word of whoever wants its turn, and the answer; the turn is over when it has gone. */
function giveTurn(
  socket: Socket,
  { turn, failed }: { turn(word: TurnWord): Promise<() => void>; failed(error: unknown): void },
): void {
  const closed = new Promise<void>(resolve => socket.once('close', () => resolve()))
  let text = ''
  socket.setEncoding('utf8')
  const hear = (piece: string): void => {
    text += piece
    const end = text.indexOf('\n')
    if (text.length > longestWord) socket.destroy()
    if (end < 0) return
    socket.off('data', hear).resume()
    const word = parseTurn(text.slice(0, end))
    if (!word) return void socket.destroy()
    turn(word).then(
      over => {
        if (!socket.destroyed) socket.write('{}\n')
        void closed.then(over)
      },
      error => {
        // whoever waits goes on, as after the end of a watch
        socket.destroy()
        failed(error)
      },
    )
  }
  socket.on('data', hear)
}

/** Undefined for what no command of ours says. */
function parseTurn(text: string): TurnWord | undefined {
  let data: unknown
  try {
    data = JSON.parse(text)
  } catch {
    // anybody may connect
    return undefined
  }
  if (typeof data !== 'object' || data === null) return undefined
  const { making, scale } = data as Readonly<Record<string, unknown>>
  if (typeof making !== 'boolean') return undefined
  if (scale === undefined) return { making }
  if (typeof scale !== 'object' || scale === null) return undefined
  const counts = Object.entries(scale).filter(
    (entry): entry is [string, number] => Number.isInteger(entry[1]) && entry[1] >= 0,
  )
  return { making, scale: Object.fromEntries(counts) }
}
