/** The standard streams of a command, made anew for each: Node makes its own once in the life of a process. */
import { createReadStream, fstatSync, writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { type Readable, Writable } from 'node:stream'
import { isatty, ReadStream, WriteStream } from 'node:tty'

/** A terminal, a pipe, or a file, which is written to at once, as Node does. */
export function output(descriptor: number): NodeJS.WriteStream {
  if (isatty(descriptor)) return new WriteStream(descriptor)
  if (isPipe(descriptor))
    return new Socket({ fd: descriptor, readable: false, writable: true }) as unknown as NodeJS.WriteStream
  return new FileStream(descriptor) as unknown as NodeJS.WriteStream
}

export function input(descriptor: number): Readable {
  if (isatty(descriptor)) return new ReadStream(descriptor)
  if (isPipe(descriptor)) return new Socket({ fd: descriptor, readable: true, writable: false })
  return createReadStream('', { fd: descriptor, autoClose: false })
}

function isPipe(descriptor: number): boolean {
  const stat = fstatSync(descriptor)
  return stat.isFIFO() || stat.isSocket()
}

class FileStream extends Writable {
  readonly fd: number

  constructor(descriptor: number) {
    super({ decodeStrings: true })
    this.fd = descriptor
  }

  override _write(chunk: Uint8Array, _encoding: string, done: (error?: Error) => void): void {
    try {
      for (let at = 0; at < chunk.length; ) at += writeSync(this.fd, chunk, at)
      done()
    } catch (error) {
      done(error as Error)
    }
  }
}
