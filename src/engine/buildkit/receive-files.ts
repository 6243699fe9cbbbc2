/** The receiving end of a client's folder: all that it has is told, what differs from the mirror is asked for. (fsutil's packets) */
import { encodeKeys, fileSync, packetTypes, syncKeys } from '../../api/buildkit/file-sync.ts'
import { Failure } from '../../lib/failure.ts'
import { Entries, type EntryLimits, type FileEntry } from './file-entry.ts'
import type { FileReceiver } from './mirror-tree.ts'
import type { Mirror } from './mirrors.ts'
import type { ClientSession } from './sessions.ts'

export interface WantedFolder {
  /** As the client knows it: "context", "dockerfile". */
  readonly name: string
  readonly include?: readonly string[]
  /** Patterns of a .dockerignore. */
  readonly exclude?: readonly string[]
  /** Only these and what they lead to; none is all. */
  readonly follow?: readonly string[]
}

export interface ReceiveOptions {
  readonly signal: AbortSignal
  readonly limits?: EntryLimits | undefined
  /** Bytes so far, of the transfer and not of the folder. */
  readonly onProgress?: ((bytes: number) => void) | undefined
}

/**
 * Brings the mirror to what the client has in that folder.
 * @throws Failure `not-found` when the client has no such folder, `invalid` for what it should not send.
 */
export async function receiveFiles(
  session: ClientSession,
  wanted: WantedFolder,
  { mirror, ...options }: ReceiveOptions & { readonly mirror: Mirror },
): Promise<void> {
  if (!session.serves(fileSync.diffCopy.path)) throw new Failure('not-found', 'no local sources enabled')
  const call = session.grpc.open(fileSync.diffCopy, {
    signal: options.signal,
    metadata: encodeKeys(
      new Map([
        [syncKeys.folder, [wanted.name]],
        [syncKeys.include, wanted.include ?? []],
        [syncKeys.exclude, wanted.exclude ?? []],
        [syncKeys.follow, wanted.follow ?? []],
      ]),
    ),
  })
  const ask = (id: number) => call.send({ type: packetTypes.request, id })
  const transfer = new Transfer(mirror, ask, options)
  try {
    for await (const packet of call.messages) {
      switch (packet.type) {
        case packetTypes.stat:
          if (packet.stat !== undefined && packet.stat.path !== '') transfer.told(packet.stat)
          else await transfer.allTold()
          break
        case packetTypes.data:
          transfer.data(packet.id, packet.data)
          break
        case packetTypes.error:
          throw new Failure('invalid', `error from sender: ${Buffer.from(packet.data).toString()}`)
        case packetTypes.finish:
          call.end()
          break
        default:
          throw new Failure('invalid', `Cannot take a packet of type ${packet.type}`)
      }
      if (transfer.complete && !transfer.finished) {
        await transfer.finish()
        await call.send({ type: packetTypes.finish })
      }
    }
    if (!transfer.finished) throw new Failure('unavailable', 'Cannot take a build context: the client stopped sending')
  } catch (error) {
    if (!options.signal.aborted)
      // the client says it to whoever waits there; that it has gone already is told by `error`
      await call.send({ type: packetTypes.error, data: Buffer.from(String(error)) }).catch(() => {})
    throw error
  } finally {
    transfer.abandon()
    call.cancel()
  }
}

/** Milliseconds between two words on how much has come. */
const often = 100

/** No file's time. */
const never = -(2n ** 62n)

class Transfer {
  readonly #mirror: Mirror
  readonly #ask: (id: number) => Promise<void>
  readonly #options: ReceiveOptions
  readonly #entries: Entries
  /** By place in the order told. */
  readonly #places = new Map<string, number>()
  readonly #open = new Map<number, { readonly entry: FileEntry; receiver: FileReceiver | undefined }>()
  readonly #short = new Set<string>()
  #told = 0
  #bytes = 0
  #nextWord = 0
  #asking: Promise<void> | undefined
  complete = false
  finished = false

  constructor(mirror: Mirror, ask: (id: number) => Promise<void>, options: ReceiveOptions) {
    this.#mirror = mirror
    this.#ask = ask
    this.#options = options
    this.#entries = new Entries(options.limits)
  }

  told(stat: Parameters<Entries['add']>[0]): void {
    if (this.#asking) throw new Failure('invalid', 'Cannot take another path: the end of the list was told')
    const entry = this.#entries.add(stat)
    if (entry?.kind === 'file') this.#places.set(entry.path, this.#told)
    this.#told++
  }

  async allTold(): Promise<void> {
    if (this.#asking) throw new Failure('invalid', 'Cannot take the end of the list twice')
    const made = await this.#mirror.begin(this.#entries.all)
    for (const entry of made)
      if (entry.kind === 'file') this.#open.set(this.#places.get(entry.path)!, { entry, receiver: undefined })
    this.complete = this.#open.size === 0
    this.#asking = this.#askAll([...this.#open.keys()])
    // a client that has gone is seen where its packets end
    this.#asking.catch(() => {})
  }

  data(id: number, data: Uint8Array): void {
    const file = this.#open.get(id)
    if (file === undefined) throw new Failure('invalid', `invalid file request ${id}`)
    file.receiver ??= this.#mirror.open(file.entry)
    if (data.length > 0) {
      file.receiver.write(data)
      this.#bytes += data.length
      if (performance.now() >= this.#nextWord) this.#tell()
      return
    }
    file.receiver.finish()
    if (!file.receiver.whole) this.#short.add(file.entry.path)
    this.#open.delete(id)
    this.complete = this.#open.size === 0
  }

  #tell(): void {
    this.#nextWord = performance.now() + often
    this.#options.onProgress?.(this.#bytes)
  }

  async finish(): Promise<void> {
    this.#tell()
    this.finished = true
    // what became another while it was sent is asked for again
    await this.#mirror.end(
      this.#entries.all.map(entry => (this.#short.has(entry.path) ? { ...entry, modified: never } : entry)),
    )
  }

  abandon(): void {
    for (const { receiver } of this.#open.values()) receiver?.abandon()
    this.#open.clear()
  }

  async #askAll(ids: readonly number[]): Promise<void> {
    for (const id of ids) await this.#ask(id)
  }
}
