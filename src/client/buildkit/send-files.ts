/** The sending end of FileSync: tells what is in a folder, and sends the files that are asked for. (fsutil: send) */
import type { BigIntStats } from 'node:fs'
import { open } from 'node:fs/promises'
import { fileStat, packetTypes } from '../../api/buildkit/file-sync.ts'
import { type From, field, map, message, type Of } from '../../api/buildkit/message.ts'
import { Failure } from '../../lib/failure.ts'
import { Channel } from './channel.ts'
import { contextXattrs } from './context-xattrs.ts'
import { ListingPrint } from './listing-print.ts'
import { bytesOf, pathBelow, unreadable, type WalkedFile, type WalkOptions, walk } from './walk.ts'

/** As the wire has it, with names as bytes: they need not be text. */
const rawStat = message({
  ...fileStat.fields,
  path: field(1, 'bytes'),
  linkName: field(7, 'bytes'),
  xattrs: map(10, 'bytes'),
})
export const rawPacket = message({
  type: field(1, 'int32'),
  stat: field(2, rawStat),
  id: field(3, 'uint32'),
  data: field(4, 'bytes'),
})

type Packet = Of<typeof rawPacket>
type Sent = From<typeof rawPacket>

/** Files that are read at a time. */
const readers = 8
/** Bytes a packet of a file. */
const piece = 64 * 1024
/** Packets that wait for the builder to take them. */
const waiting = 32

export interface Folder extends WalkOptions {
  /** Files that are not there: a Dockerfile whose text stands in the stack. Name → content, instead of `root`. */
  readonly texts?: ReadonlyMap<string, Uint8Array> | undefined
  /** All of it has been told; the print is that of ListingPrint. */
  readonly onTold?: ((print: string | undefined) => void) | undefined
}

/** Answers packets until the builder says that it has all. @throws Failure of what cannot be read, or what the builder says went wrong */
export async function* sendFiles(packets: AsyncIterable<Packet>, folder: Folder): AsyncGenerator<Sent> {
  const out = new Channel<Sent>(waiting)
  const sender = new Sender(folder, out)
  const work = Promise.all([sender.tell(), sender.answer(packets)])
  work.then(
    () => out.end(),
    error => out.fail(error),
  )
  yield* out.taken()
  await work
}

class Sender {
  readonly #folder: Folder
  readonly #out: Channel<Sent>
  readonly #root: Buffer
  /** Regular files, by their number. */
  readonly #files = new Map<number, { readonly path: string; readonly size: number }>()
  readonly #wanted: number[] = []
  #reading = 0
  #idle = Promise.withResolvers<void>()

  constructor(folder: Folder, out: Channel<Sent>) {
    this.#folder = folder
    this.#out = out
    this.#root = Buffer.from(folder.root)
    this.#idle.resolve()
  }

  async tell(): Promise<void> {
    let id = 0
    const links = new Map<string, string>()
    const print = new ListingPrint()
    for (const [name, content] of this.#folder.texts ?? []) {
      print.addText(name, content)
      this.#files.set(id++, { path: name, size: content.length })
      await this.#give({ type: packetTypes.stat, stat: textStat(name, content) })
    }
    if (!this.#folder.texts)
      for (const file of walk(this.#folder)) {
        print.add(file)
        const xattrs = contextXattrs(pathBelow(this.#root, file.path))
        const stat = { ...statOf(file, links), ...(xattrs && { xattrs }) }
        if (file.stat.isFile()) this.#files.set(id, { path: file.path, size: Number(file.stat.size) })
        id++
        await this.#give({ type: packetTypes.stat, stat })
      }
    this.#folder.onTold?.(print.end())
    await this.#give({ type: packetTypes.stat })
  }

  async answer(packets: AsyncIterable<Packet>): Promise<void> {
    for await (const { type, id, data } of packets) {
      if (type === packetTypes.request) this.#want(id)
      else if (type === packetTypes.error)
        throw new Failure('unavailable', `Cannot send the context: ${Buffer.from(data).toString('utf8')}`)
      else if (type === packetTypes.finish) {
        await this.#idle.promise
        await this.#give({ type: packetTypes.finish })
        return
      }
    }
  }

  #want(id: number): void {
    if (!this.#files.has(id)) throw new Failure('invalid', `Cannot send file ${id} of the context: there is none`)
    this.#wanted.push(id)
    if (this.#reading === readers) return
    if (this.#reading++ === 0) this.#idle = Promise.withResolvers()
    this.#read().catch(error => this.#out.fail(error))
  }

  /** Reads what is wanted, one after the other, until nothing is. */
  async #read(): Promise<void> {
    for (let id = this.#wanted.shift(); id !== undefined; id = this.#wanted.shift()) {
      const { path, size } = this.#files.get(id)!
      const text = this.#folder.texts?.get(path)
      if (text) for (let at = 0; at < text.length; at += piece) await this.#data(id, text.subarray(at, at + piece))
      else await this.#file(id, pathBelow(this.#root, path), Math.min(piece, size + 1))
      await this.#data(id, new Uint8Array(0))
    }
    if (--this.#reading === 0) this.#idle.resolve()
  }

  async #file(id: number, path: Buffer, room: number): Promise<void> {
    try {
      await using file = await open(path, 'r')
      for (;;) {
        const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(room), 0, room)
        if (bytesRead === 0) return
        await this.#data(id, buffer.subarray(0, bytesRead))
        if (bytesRead < room) return
      }
    } catch (error) {
      throw error instanceof Failure ? error : unreadable(path, error)
    }
  }

  #data(id: number, data: Uint8Array): Promise<void> {
    return this.#give({ type: packetTypes.data, id, data })
  }

  async #give(packet: Sent): Promise<void> {
    if (!(await this.#out.give(packet)))
      throw new Failure('cancelled', 'Cannot send the context: nobody reads it any more')
  }
}

/** Owners are root's: who owns a checkout is no part of what is built. */
function statOf({ path, stat, target }: WalkedFile, links: Map<string, string>): From<typeof rawStat> {
  const known = stat.isDirectory() || stat.nlink < 2n ? undefined : linkOf(path, stat, links)
  return {
    path: bytesOf(path),
    mode: goMode(stat),
    size: known !== undefined || stat.isDirectory() ? 0 : Number(stat.size),
    modified: stat.mtimeNs,
    linkName: bytesOf(target ?? known ?? ''),
    ...(stat.isBlockDevice() || stat.isCharacterDevice() ? deviceOf(stat.rdev) : {}),
  }
}

/** The path under which this file was told before. */
function linkOf(path: string, stat: BigIntStats, links: Map<string, string>): string | undefined {
  const key = `${stat.dev}:${stat.ino}`
  const first = links.get(key)
  if (first === undefined) links.set(key, path)
  return first
}

/** (makedev(3), as glibc has it.) */
function deviceOf(rdev: bigint): { readonly deviceMajor: number; readonly deviceMinor: number } {
  return {
    deviceMajor: Number(((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xfffff000n)),
    deviceMinor: Number((rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n)),
  }
}

function textStat(name: string, content: Uint8Array): From<typeof rawStat> {
  return { path: bytesOf(name), mode: 0o644, size: content.length, modified: 0n }
}

/** Type and permissions as Go's FileMode has them. */
function goMode(stat: BigIntStats): number {
  const mode = Number(stat.mode)
  let found = mode & 0o777
  if (stat.isDirectory()) found |= 1 << 31
  if (stat.isSymbolicLink()) found |= 1 << 27
  if (stat.isBlockDevice()) found |= 1 << 26
  if (stat.isFIFO()) found |= 1 << 25
  if (mode & 0o4000) found |= 1 << 23
  if (mode & 0o2000) found |= 1 << 22
  if (stat.isCharacterDevice()) found |= (1 << 26) | (1 << 21)
  if (mode & 0o1000) found |= 1 << 20
  return found >>> 0
}
