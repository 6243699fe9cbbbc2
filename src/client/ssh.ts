/** A connection to an engine of another machine through ssh: the standard streams of a program there that dials its socket. */
import type { ChildProcessByStdio } from 'node:child_process'
import { Duplex, type Readable, type Writable } from 'node:stream'
import { errnoOf, Failure, messageOf } from '../lib/failure.ts'

export interface SshPlace {
  readonly kind: 'ssh'
  readonly hostname: string
  readonly user?: string
  readonly port?: number
}

/** What runs there: our own dialler, or Docker's where only that is installed. One word for the shell of the account. */
const remote =
  'if command -v tscompose >/dev/null 2>&1; then exec tscompose engine dial-stdio; else exec docker system dial-stdio; fi'

/** Of what ssh complains of, so much is kept. */
const maxComplaint = 4096

/** Arguments of ssh(1). */
export function sshWords({ hostname, user, port }: SshPlace): readonly string[] {
  return [
    '-T',
    // nobody is there to be asked for each of many connections
    ...['-o', 'ConnectTimeout=30'],
    ...(user === undefined ? [] : ['-l', user]),
    ...(port === undefined ? [] : ['-p', String(port)]),
    '--',
    hostname,
    remote,
  ]
}

/** Connected when the first byte arrives; what keeps it from that is the error it is destroyed with. */
export function dialSsh(place: SshPlace): Duplex {
  // not by `import`: hardly any command needs it
  const { spawn } = process.getBuiltinModule('node:child_process')
  return new SshStream(spawn('ssh', sshWords(place), { stdio: ['pipe', 'pipe', 'pipe'] }), place)
}

class SshStream extends Duplex {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>

  constructor(child: ChildProcessByStdio<Writable, Readable, Readable>, place: SshPlace) {
    super({ allowHalfOpen: true })
    this.#child = child
    let complaint = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(-maxComplaint)
    })
    child.stdout.on('data', piece => {
      if (!this.push(piece)) child.stdout.pause()
    })
    // told by its end, with what ssh has said
    child.stdin.on('error', () => undefined)
    child.once('error', cause => {
      const missing = errnoOf(cause) === 'ENOENT'
      this.destroy(
        new Failure(
          'unavailable',
          `Cannot reach "${place.hostname}": ${missing ? 'there is no program "ssh"' : messageOf(cause)}`,
          { cause },
        ),
      )
    })
    child.once('close', code => {
      if (this.destroyed) return
      // only now is it known whether the output has ended, or the connection
      if (code === 0) return void this.push(null)
      const last = complaint.trim().split('\n').at(-1) || `ssh ended with ${code}`
      this.destroy(new Failure('unavailable', `Cannot reach "${place.hostname}" by ssh: ${last}`))
    })
  }

  override _read(): void {
    this.#child.stdout.resume()
  }

  override _write(piece: Uint8Array, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#child.stdin.write(piece)) done()
    else this.#child.stdin.once('drain', () => done())
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#child.stdin.end(() => done())
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#child.kill()
    done(error)
  }

  /** What Node's HTTP asks of a socket. */
  setKeepAlive(): this {
    return this
  }
  setNoDelay(): this {
    return this
  }
  setTimeout(): this {
    return this
  }
  /** A connection that nobody uses keeps no command from ending. */
  unref(): this {
    this.#child.unref()
    for (const stream of [this.#child.stdin, this.#child.stdout, this.#child.stderr])
      (stream as Partial<Socketlike>).unref?.()
    return this
  }
  ref(): this {
    this.#child.ref()
    for (const stream of [this.#child.stdin, this.#child.stdout, this.#child.stderr])
      (stream as Partial<Socketlike>).ref?.()
    return this
  }
}

/** Pipes of a child process are sockets in Node. */
interface Socketlike {
  ref(): void
  unref(): void
}
