/**
 * A byte stream to tar entries: ustar, pax, GNU long names, base-256 numbers.
 *
 * Our own reader because a layer's extended attributes are bytes (a file capability is not UTF-8, the library decodes it as such),
 * and because every length is checked before anything is buffered.
 */

import { Failure } from '../../lib/failure.ts'
import { nameOfBytes } from '../../lib/file-name.ts'
import { checkSparse, expand, type PaxSparse, type SparseMap, setPaxSparse, stretches } from './tar-sparse.ts'
import type { TarType } from './tar-writer.ts'

export interface TarEntry {
  /** As written in the archive: may be absolute or hold "..". Never a NUL. */
  readonly name: string
  readonly type: TarType
  /** The twelve permission bits. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  /** Seconds since the epoch, with a fraction. */
  readonly mtime: number
  readonly linkname: string
  readonly major: number
  readonly minor: number
  readonly xattrs: ReadonlyMap<string, Buffer>
}

const block = 512
const largestExtension = 1024 * 1024
const types: Readonly<Record<string, TarType>> = {
  '\0': 'file',
  0: 'file',
  1: 'link',
  2: 'symlink',
  3: 'character-device',
  4: 'block-device',
  5: 'directory',
  6: 'fifo',
  7: 'file',
  S: 'file',
}

/** Reads entries one after the other; what is left of an entry's body is skipped by the next `next()`. */
export class TarReader {
  readonly #source: AsyncIterator<Uint8Array>
  #chunk: Buffer = Buffer.alloc(0)
  #left = 0
  #padding = 0
  /** Of a file with holes: `#left` counts what is stored of it. */
  #sparse: SparseMap | undefined

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** @throws Failure `invalid` for a damaged archive; "unexpected EOF" when it is cut short. */
  async next(): Promise<TarEntry | undefined> {
    await this.#skip(this.#left + this.#padding)
    this.#left = this.#padding = 0
    this.#sparse = undefined
    const extended: Extended = { name: undefined, linkname: undefined, pax: undefined }
    for (let extensions = 0; ; extensions++) {
      const header = await this.#take(block, true)
      if (header === undefined || isZero(header)) {
        if (extensions > 0) throw damaged('an extended header stands alone')
        return undefined
      }
      verifyChecksum(header)
      const flag = String.fromCharCode(header[156]!)
      const size = numberAt(header, 124, 12, 'size')
      if (!'xgLK'.includes(flag) || flag === '') return await this.#entry(header, flag, size, extended)
      if (extensions >= 8) throw damaged('too many extended headers before an entry')
      if (size > largestExtension)
        throw damaged(`an extended header has ${size} bytes, at most ${largestExtension} are read`)
      const data = (await this.#take(size + padding(size), false))!.subarray(0, size)
      if (flag === 'x') extended.pax = parsePax(data)
      else if (flag === 'L') extended.name = text(untilNul(data))
      else if (flag === 'K') extended.linkname = text(untilNul(data))
      // a global header ('g') carries comments in practice; letting one rename every entry helps nobody
    }
  }

  /** The rest of the current entry's content, in pieces that are valid until the next one is asked for. */
  body(): AsyncGenerator<Buffer, void, undefined> {
    return this.#sparse === undefined ? this.#stored() : expand(this.#sparse, this.#stored())
  }

  async *#stored(): AsyncGenerator<Buffer, void, undefined> {
    while (this.#left > 0) {
      if (this.#chunk.length === 0) await this.#fill()
      const piece = this.#chunk.subarray(0, Math.min(this.#left, this.#chunk.length))
      this.#chunk = this.#chunk.subarray(piece.length)
      this.#left -= piece.length
      yield piece
    }
  }

  /** Content that is already here, without waiting; undefined when there is none. A quick way through small files. */
  bodyAtHand(): Buffer | undefined {
    if (this.#chunk.length < this.#left || this.#sparse !== undefined) return undefined
    const whole = this.#chunk.subarray(0, this.#left)
    this.#chunk = this.#chunk.subarray(this.#left)
    this.#left = 0
    return whole
  }

  /** The current entry's content, whole. @throws Failure `invalid` when it is larger than `limit`. */
  async content(limit: number, what: string): Promise<Buffer> {
    if (this.#left > limit) throw damaged(`${what} has ${this.#left} bytes, at most ${limit} are read`)
    const pieces: Buffer[] = []
    for await (const piece of this.body()) pieces.push(Buffer.from(piece))
    return Buffer.concat(pieces)
  }

  /** Reads what follows the end of the archive, so that a digest over the stream covers all of it. */
  async drain(): Promise<void> {
    this.#chunk = Buffer.alloc(0)
    for (;;) if ((await this.#source.next()).done) return
  }

  async close(): Promise<void> {
    await this.#source.return?.()
  }

  async #entry(header: Buffer, flag: string, size: number, { name, linkname, pax }: Extended): Promise<TarEntry> {
    const isUstar = header.toString('latin1', 257, 265) === 'ustar\x0000'
    const prefix = isUstar ? text(untilNul(header.subarray(345, 500))) : ''
    const short = text(untilNul(header.subarray(0, 100)))
    const fullName = pax?.sparse?.name ?? pax?.path ?? name ?? (prefix === '' ? short : `${prefix}/${short}`)
    let type = types[flag]
    if (type === undefined) {
      throw damaged(`entry ${JSON.stringify(fullName)} has type ${JSON.stringify(flag)}, which is not supported`)
    }
    if (type === 'file' && fullName.endsWith('/')) type = 'directory'
    const full = pax?.size ?? size
    this.#left = type === 'file' ? full : 0
    this.#padding = padding(this.#left)
    if (flag === 'S') this.#sparse = await this.#oldSparse(header)
    else if (pax?.sparse && type === 'file') this.#sparse = await this.#paxSparse(pax.sparse)
    return {
      name: fullName,
      type,
      mode: numberAt(header, 100, 8, 'mode') & 0o7777,
      uid: pax?.uid ?? numberAt(header, 108, 8, 'uid'),
      gid: pax?.gid ?? numberAt(header, 116, 8, 'gid'),
      size: this.#sparse?.size ?? this.#left,
      mtime: pax?.mtime ?? signedAt(header, 136, 12, 'mtime'),
      linkname: pax?.linkpath ?? linkname ?? text(untilNul(header.subarray(157, 257))),
      major: type.endsWith('device') ? numberAt(header, 329, 8, 'devmajor') : 0,
      minor: type.endsWith('device') ? numberAt(header, 337, 8, 'devminor') : 0,
      xattrs: pax?.xattrs ?? noXattrs,
    }
  }

  /** GNU tar's own form: four stretches in the header, 21 in each block that follows while it says so. */
  async #oldSparse(header: Buffer): Promise<SparseMap> {
    const numbers: number[] = []
    const read = (from: Buffer, at: number, count: number) => {
      for (let i = 0; i < 2 * count; i++) numbers.push(numberAt(from, at + 12 * i, 12, 'sparse map'))
    }
    read(header, 386, 4)
    let more = header[482] !== 0
    while (more) {
      const next = (await this.#take(block, false))!
      read(next, 0, 21)
      more = next[504] !== 0
      if (numbers.length > 200_000) throw damaged('a file with holes has too many stretches')
    }
    return checkSparse({ size: numberAt(header, 483, 12, 'real size'), stretches: stretches(numbers) }, this.#left)
  }

  /** In the extended header, or (1.0) as lines before the content, filled up to a block. */
  async #paxSparse({ size = this.#left, leads, numbers }: PaxSparse): Promise<SparseMap> {
    if (!leads) return checkSparse({ size, stretches: stretches(numbers) }, this.#left)
    const found: number[] = []
    let text = ''
    for (let wanted = 1; found.length < wanted; ) {
      if (this.#left < block) throw damaged('the map of a file with holes is cut short')
      text += (await this.#take(block, false))!.toString('latin1')
      this.#left -= block
      const lines = text.split('\n')
      text = lines.pop()!
      for (const line of lines) {
        if (found.length === wanted) break
        if (!/^\d{1,15}$/.test(line)) throw damaged('the map of a file with holes is no list of numbers')
        found.push(Number(line))
        if (found.length === 1) wanted = 1 + 2 * Math.min(found[0]!, 100_001)
      }
    }
    return checkSparse({ size, stretches: stretches(found.slice(1)) }, this.#left)
  }

  async #take(count: number, mayEnd: boolean): Promise<Buffer | undefined> {
    if (this.#chunk.length < count) {
      const pieces = [this.#chunk]
      let have = this.#chunk.length
      while (have < count) {
        const { done, value } = await this.#source.next()
        if (done) {
          if (mayEnd && have === 0) return undefined
          throw new Failure('invalid', 'unexpected EOF')
        }
        pieces.push(asBuffer(value))
        have += value.length
      }
      this.#chunk = Buffer.concat(pieces, have)
    }
    const taken = this.#chunk.subarray(0, count)
    this.#chunk = this.#chunk.subarray(count)
    return taken
  }

  async #fill(): Promise<void> {
    while (this.#chunk.length === 0) {
      const { done, value } = await this.#source.next()
      if (done) throw new Failure('invalid', 'unexpected EOF')
      this.#chunk = asBuffer(value)
    }
  }

  async #skip(count: number): Promise<void> {
    let left = count
    while (left > this.#chunk.length) {
      left -= this.#chunk.length
      this.#chunk = Buffer.alloc(0)
      await this.#fill()
    }
    this.#chunk = this.#chunk.subarray(left)
  }
}

interface Extended {
  name: string | undefined
  linkname: string | undefined
  pax: Pax | undefined
}

interface Pax {
  path?: string
  linkpath?: string
  size?: number
  uid?: number
  gid?: number
  mtime?: number
  sparse?: PaxSparse
  xattrs: Map<string, Buffer>
}

const noXattrs: ReadonlyMap<string, Buffer> = new Map()
const xattrKey = 'SCHILY.xattr.'
const sparseKey = 'GNU.sparse.'

/** Records of `<length> <key>=<value>\n`, the length being that of the whole record. */
function parsePax(data: Buffer): Pax {
  const pax: Pax = { xattrs: new Map() }
  let rest = data
  while (rest.length > 0) {
    const space = rest.indexOf(0x20)
    const digits = space < 1 || space > 8 ? '' : rest.toString('latin1', 0, space)
    const length = /^[1-9]\d*$/.test(digits) ? Number(digits) : 0
    const equals = rest.indexOf(0x3d, space)
    if (length === 0 || length > rest.length || rest[length - 1] !== 0x0a || equals < 0 || equals >= length) {
      throw damaged('a pax record is not "<length> <key>=<value>"')
    }
    const key = rest.toString('utf8', space + 1, equals)
    setPax(pax, key, rest.subarray(equals + 1, length - 1))
    rest = rest.subarray(length)
  }
  return pax
}

function setPax(pax: Pax, key: string, value: Buffer): void {
  if (key.startsWith(xattrKey)) pax.xattrs.set(key.slice(xattrKey.length), Buffer.from(value))
  else if (key === 'GNU.sparse.name') (pax.sparse ??= { numbers: [] }).name = text(value)
  else if (key.startsWith(sparseKey)) {
    setPaxSparse((pax.sparse ??= { numbers: [] }), key.slice(sparseKey.length), value.toString('latin1'))
  } else if (key === 'path' || key === 'linkpath') pax[key] = text(value)
  else if (key === 'size' || key === 'uid' || key === 'gid') pax[key] = decimal(value, key, /^\d{1,15}$/)
  else if (key === 'mtime') pax.mtime = decimal(value, key, /^-?\d{1,12}(?:\.\d*)?$/)
}

function decimal(value: Buffer, key: string, pattern: RegExp): number {
  const digits = value.toString('latin1')
  if (!pattern.test(digits)) throw damaged(`pax ${key} is ${JSON.stringify(digits.slice(0, 40))}, not a number`)
  return Number(digits)
}

function numberAt(header: Buffer, offset: number, length: number, what: string): number {
  const value = signedAt(header, offset, length, what)
  if (value < 0) throw damaged(`${what} is negative`)
  return value
}

function signedAt(header: Buffer, offset: number, length: number, what: string): number {
  const field = header.subarray(offset, offset + length)
  if (field[0]! & 0x80) return base256(field, what)
  const digits = untilNul(field).toString('latin1').trim()
  if (!/^[0-7]*$/.test(digits)) throw damaged(`${what} is ${JSON.stringify(digits)}, not octal`)
  return digits === '' ? 0 : Number.parseInt(digits, 8)
}

/** Two's complement, big-endian, its top bit a marker. */
function base256(field: Buffer, what: string): number {
  const negative = (field[0]! & 0x40) !== 0
  let value = BigInt(field[0]! & 0x7f)
  for (const byte of field.subarray(1)) value = (value << 8n) | BigInt(byte)
  if (negative) value -= 1n << BigInt(field.length * 8 - 1)
  const number = Number(value)
  if (!Number.isSafeInteger(number)) throw damaged(`${what} is too large`)
  return number
}

function verifyChecksum(header: Buffer): void {
  let sum = 0
  for (let i = 0; i < block; i++) sum += i >= 148 && i < 156 ? 0x20 : header[i]!
  if (sum !== numberAt(header, 148, 8, 'checksum')) throw damaged('a header does not match its checksum')
}

function isZero(header: Buffer): boolean {
  return header[0] === 0 && header.every(byte => byte === 0)
}

function untilNul(field: Buffer): Buffer {
  const end = field.indexOf(0)
  return end < 0 ? field : field.subarray(0, end)
}

function text(bytes: Buffer): string {
  const name = nameOfBytes(bytes)
  if (name.includes('\0')) throw damaged(`the name ${JSON.stringify(name)} holds a NUL`)
  return name
}

function padding(size: number): number {
  return (block - (size % block)) % block
}

function asBuffer(chunk: Uint8Array): Buffer {
  return Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
}

function damaged(what: string): Failure {
  return new Failure('invalid', `Cannot read archive: ${what}`)
}

/** When a file of an archive is to have been changed: not before 1970, as Docker has it; to Node's utimes a negative time is now. */
export function fileTime({ mtime }: TarEntry): number {
  return Math.max(0, mtime)
}
