/** Entries to the blocks of a tar: ustar where it holds them, pax records for what it cannot. Names and attributes are bytes. */
import { bytesOfName } from '../../lib/file-name.ts'

export type TarType = 'file' | 'link' | 'symlink' | 'character-device' | 'block-device' | 'directory' | 'fifo'

export interface TarHeader {
  /** Of a folder with or without a slash at its end. */
  readonly name: string
  readonly type: TarType
  /** The twelve permission bits. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Whole seconds since the epoch. */
  readonly mtime: number
  /** Bytes of a file's content, which follow the header. */
  readonly size?: number | undefined
  readonly linkname?: string | undefined
  readonly major?: number | undefined
  readonly minor?: number | undefined
  readonly xattrs?: ReadonlyMap<string, Buffer> | undefined
}

const block = 512
const flags: Readonly<Record<TarType, string>> = {
  file: '0',
  link: '1',
  symlink: '2',
  'character-device': '3',
  'block-device': '4',
  directory: '5',
  fifo: '6',
}

/** What ends an archive. */
export const tarEnd = Buffer.alloc(2 * block)

/** The blocks before an entry's content. */
export function tarHeader(header: TarHeader): Buffer {
  const name = bytesOfName(header.type === 'directory' ? header.name.replace(/\/*$/, '/') : header.name)
  const link = bytesOfName(header.linkname ?? '')
  const records: Buffer[] = []
  const [prefix, short] = splitName(name)
  if (short === undefined) records.push(paxRecord('path', name))
  if (link.length > 100) records.push(paxRecord('linkpath', link))
  const number = (key: string, value: number, digits: number) => {
    if (value >= 0 && value < 8 ** digits) return value
    records.push(paxRecord(key, Buffer.from(String(value))))
    return 0
  }
  const uid = number('uid', header.uid, 7)
  const gid = number('gid', header.gid, 7)
  const size = number('size', header.type === 'file' ? (header.size ?? 0) : 0, 11)
  const mtime = number('mtime', header.mtime, 11)
  for (const [key, value] of header.xattrs ?? []) records.push(paxRecord(`SCHILY.xattr.${key}`, value))
  const main = ustar({
    name: short ?? name.subarray(0, 100),
    prefix: prefix ?? Buffer.alloc(0),
    flag: flags[header.type],
    mode: header.mode & 0o7777,
    link: link.subarray(0, 100),
    major: header.major ?? 0,
    minor: header.minor ?? 0,
    uid,
    gid,
    size,
    mtime,
  })
  if (records.length === 0) return main
  const pax = Buffer.concat(records)
  const extended = { name: Buffer.from('PaxHeaders.0/entry'), prefix: Buffer.alloc(0), flag: 'x', mode: 0o644 }
  const none = { link: Buffer.alloc(0), major: 0, minor: 0, uid: 0, gid: 0, mtime: 0 }
  return Buffer.concat([ustar({ ...extended, ...none, size: pax.length }), pax, tarPadding(pax.length), main])
}

/** What fills an entry's last block. */
export function tarPadding(size: number): Buffer {
  return tarEnd.subarray(0, (block - (size % block)) % block)
}

/** At a slash, where the name has more than a hundred bytes; the second is undefined when no slash fits. */
function splitName(name: Buffer): readonly [prefix: Buffer | undefined, name: Buffer | undefined] {
  // a byte that is no ASCII is not portable in a plain header: the pax record says what it is
  if (name.some(byte => byte > 0x7f)) return [undefined, undefined]
  if (name.length <= 100) return [undefined, name]
  for (let at = name.indexOf(0x2f); at >= 0 && at <= 155; at = name.indexOf(0x2f, at + 1)) {
    const rest = name.length - at - 1
    if (at > 0 && rest > 0 && rest <= 100) return [name.subarray(0, at), name.subarray(at + 1)]
  }
  return [undefined, undefined]
}

/** `<length> <key>=<value>\n`, the length being that of the whole record. */
function paxRecord(key: string, value: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')])
  let length = rest.length + 1
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length
  return Buffer.concat([Buffer.from(String(length)), rest])
}

interface Fields {
  readonly name: Buffer
  readonly prefix: Buffer
  readonly flag: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly mtime: number
  readonly link: Buffer
  readonly major: number
  readonly minor: number
}

function ustar(fields: Fields): Buffer {
  const header = Buffer.alloc(block)
  const octal = (value: number, at: number, length: number) =>
    header.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1')
  fields.name.copy(header, 0)
  octal(fields.mode, 100, 8)
  octal(fields.uid, 108, 8)
  octal(fields.gid, 116, 8)
  octal(fields.size, 124, 12)
  octal(fields.mtime, 136, 12)
  header.write(' '.repeat(8), 148, 'latin1')
  header.write(fields.flag, 156, 'latin1')
  fields.link.copy(header, 157)
  header.write('ustar\x0000', 257, 'latin1')
  octal(fields.major, 329, 8)
  octal(fields.minor, 337, 8)
  fields.prefix.copy(header, 345)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return header
}
