/**
 * File names are bytes; most are UTF-8. Here they are strings all the same: a byte that is part of no UTF-8 becomes a lone surrogate
 * (U+DC80 to U+DCFF), and comes back as that byte. Both ways lose nothing, and "/" and "." mean what they mean.
 */
import { isUtf8 } from 'node:buffer'

const escaped = 0xdc00

export function nameOfBytes(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8')
  let name = ''
  for (let at = 0; at < bytes.length; ) {
    const length = [1, 2, 3, 4].find(count => at + count <= bytes.length && isUtf8(bytes.subarray(at, at + count)))
    name += length === undefined ? String.fromCharCode(escaped | bytes[at]!) : bytes.toString('utf8', at, at + length)
    at += length ?? 1
  }
  return name
}

export function bytesOfName(name: string): Buffer {
  if (name.isWellFormed()) return Buffer.from(name)
  return Buffer.concat(
    Array.from(name, character => {
      const code = character.charCodeAt(0)
      return character.length === 1 && code > (escaped | 0x7f) && code <= (escaped | 0xff)
        ? Buffer.of(code & 0xff)
        : Buffer.from(character)
    }),
  )
}

/** What the calls of node:fs take for it; the name itself where that says the same. */
export function fsPath(path: string): string | Buffer {
  return path.isWellFormed() ? path : bytesOfName(path)
}
