/**
 * Published ports of an engine without root rights: opened on the host and relayed by the process that holds its namespaces
 * (native/relay.c), which does so without an engine too. Containers see their clients' own addresses.
 */
import { connect, type Socket } from 'node:net'
import { Failure } from '../../lib/failure.ts'
import { systemError } from '../../runtime/native.ts'
import { parseAddress } from './address.ts'
import type { Holder, Place } from './port-holder.ts'
import type { Target } from './port-relay.ts'

/** As native/rootless.h has them. */
const verbs = { open: 1, lead: 2, close: 3, settle: 4, end: 5 } as const
const protocols = { tcp: 6, udp: 17 } as const
const requestSize = 48
const answerSize = 8
/** What the relay sends in a client's name, and what is answered. */
const marks = { sent: 0x74736f, answer: 0x747362 } as const

interface Request {
  readonly verb: keyof typeof verbs
  readonly id?: number
  readonly place?: Place
  readonly target?: Target
}

interface Answer {
  readonly result: number
  readonly port: number
}

/** `struct port_request`, in the machine's byte order. */
export function encodeRequest({ verb, id = 0, place, target }: Request): Buffer {
  const bytes = Buffer.alloc(requestSize)
  bytes.writeUInt32LE(verbs[verb], 0)
  bytes.writeUInt32LE(id, 4)
  if (place) {
    if (place.protocol === 'sctp')
      throw new Failure('unsupported', 'Cannot publish an SCTP port without root rights: TCP and UDP alone are relayed')
    bytes.writeUInt16LE(protocols[place.protocol], 8)
    bytes.writeUInt16LE(place.hostPort, 10)
    writeAddress(bytes, 16, place.hostIp)
  }
  if (target) {
    bytes.writeUInt16LE(target.containerPort, 12)
    writeAddress(bytes, 32, target.address)
  }
  return bytes
}

/** IPv4 as IPv6 has it: ::ffff:1.2.3.4. */
function writeAddress(bytes: Buffer, at: number, text: string): void {
  const address = parseAddress(text)
  if (!address) throw new Failure('invalid', `Cannot use "${text}" as an address`)
  const value = address.family === 4 ? (0xffffn << 32n) | address.value : address.value
  bytes.writeBigUInt64BE(value >> 64n, at)
  bytes.writeBigUInt64BE(value & 0xffff_ffff_ffff_ffffn, at + 8)
}

/** By which answers to a client that the relay has spoken for find back to it, and do not leave. */
export function relayRules(table: string): string {
  const name = `inet ${table}-relay`
  return `add table ${name}
delete table ${name}
table ${name} {
  chain output { type filter hook output priority mangle; policy accept;
    meta mark ${marks.sent} ct mark set ${marks.answer}
  }
  chain prerouting { type filter hook prerouting priority mangle; policy accept;
    ct mark ${marks.answer} ct direction reply meta mark set ${marks.answer}
  }
}
`
}

export class Relay {
  readonly #socket: Socket
  readonly #waiting: PromiseWithResolvers<Answer>[] = []
  #received = Buffer.alloc(0)
  #ended: Failure | undefined
  /** By our own will. */
  #isOver = false

  private constructor(socket: Socket, say: (line: string) => void) {
    this.#socket = socket.unref()
    socket.on('data', bytes => this.#take(bytes))
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.#ended = new Failure('unavailable', 'Cannot publish ports: the process that relays them has ended')
      for (const { reject } of this.#waiting.splice(0)) reject(this.#ended)
      if (!this.#isOver)
        say('The process that relays published ports has ended: no port of the host leads to a container')
    })
  }

  /** @throws Failure `unavailable` when nobody listens there. */
  static open(path: string, say: (line: string) => void): Promise<Relay> {
    return new Promise((resolve, reject) => {
      const socket = connect(path)
      socket.once('error', cause =>
        reject(
          new Failure('unavailable', `Cannot reach the process that relays published ports at "${path}"`, { cause }),
        ),
      )
      socket.once('connect', () => resolve(new Relay(socket, say)))
    })
  }

  /** Takes a place on the host, or takes it over as an engine before has left it. Failures have the system's `code`. */
  readonly hold = async (place: Place, target: Target): Promise<Holder> => {
    const { result: id, port } = await this.#ask({ verb: 'open', place, target })
    // in the order they are asked for; what fails has told so by the end of the connection
    const later = (request: Request) => void this.#ask(request).catch(() => undefined)
    return {
      port,
      lead: target => later({ verb: 'lead', id, target }),
      release: () => later({ verb: 'close', id }),
    }
  }

  /** All that was open and that nobody has taken over is closed. */
  async settle(): Promise<void> {
    await this.#ask({ verb: 'settle' })
  }

  /** Ends it, and with it the namespaces: once nothing runs in them but the engine, which is about to go. */
  async end(): Promise<void> {
    this.#isOver = true
    await this.#ask({ verb: 'end' }).catch(() => undefined)
  }

  /** The ports stay open. */
  close(): void {
    this.#isOver = true
    this.#socket.destroy()
  }

  async #ask(request: Request): Promise<Answer> {
    if (this.#ended) throw this.#ended
    const bytes = encodeRequest(request)
    const waiting = Promise.withResolvers<Answer>()
    this.#waiting.push(waiting)
    // an answer that is awaited is worth staying for
    this.#socket.ref().write(bytes)
    const answer = await waiting.promise
    if (answer.result < 0) throw systemError(`${request.verb} a port of the host`, -answer.result)
    return answer
  }

  #take(bytes: Buffer): void {
    this.#received = Buffer.concat([this.#received, bytes])
    while (this.#received.length >= answerSize) {
      this.#waiting.shift()?.resolve({ result: this.#received.readInt32LE(0), port: this.#received.readUInt32LE(4) })
      this.#received = this.#received.subarray(answerSize)
    }
    if (this.#waiting.length === 0) this.#socket.unref()
  }
}
