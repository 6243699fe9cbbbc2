/** How files travel between a client and the builder: moby.filesync.v1 with the packets of fsutil. */
import { Failure } from '../../lib/failure.ts'
import { bytesMessage } from './bytes-message.ts'
import { field, map, message } from './message.ts'
import { both, service } from './service.ts'

/** Mode in Go's bits (`go-mode.ts`), times in nanoseconds, path and link name relative with slashes. */
export const fileStat = message({
  path: field(1, 'string'),
  mode: field(2, 'uint32'),
  uid: field(3, 'uint32'),
  gid: field(4, 'uint32'),
  size: field(5, 'int64'),
  /** Nanoseconds since 1970; a 64-bit integer beyond what a number holds. */
  modified: field(6, 'bigint'),
  /** Of a symbolic link its target, of a hard link the path of the first. */
  linkName: field(7, 'string'),
  deviceMajor: field(8, 'int64'),
  deviceMinor: field(9, 'int64'),
  xattrs: map(10, 'bytes'),
})

/**
 * The sender tells one `stat` for each path, in the order of a walk that sorts names, and one without a path at their end. The receiver requests
 * (`request`) by place in that order, from 0; `data` comes in pieces, an empty one ends it. `finish` from the receiver when it has all, then
 * from the sender.
 */
export const packetTypes = { stat: 0, request: 1, data: 2, finish: 3, error: 4 } as const
export const packet = message({
  type: field(1, 'int32'),
  stat: field(2, fileStat),
  id: field(3, 'uint32'),
  data: field(4, 'bytes'),
})

/** Metadata of a DiffCopy: which folder, and what of it. */
export const syncKeys = {
  include: 'include-patterns',
  exclude: 'exclude-patterns',
  follow: 'followpaths',
  folder: 'dir-name',
  /** Of FileSend: which exporter of the request, from 0. */
  exporter: 'buildkit-attachable-exporter-id',
  /** Of FileSend: before a key of the result's metadata. */
  exporterMetadata: 'exporter-md-',
} as const

/** The client's files to the builder. */
export const fileSync = service('moby.filesync.v1.FileSync', {
  diffCopy: both('DiffCopy', packet, packet),
  tarStream: both('TarStream', packet, packet),
})

/** A result to the client: one file in pieces. */
export const fileSend = service('moby.filesync.v1.FileSend', {
  diffCopy: both('DiffCopy', bytesMessage, bytesMessage),
})

/** The same for a folder, in packets; the builder is the sender. */
export const folderSend = service('moby.filesync.v1.FileSend', { diffCopy: both('DiffCopy', packet, packet) })

/**
 * Patterns and names as metadata. Only what is not ASCII is percent-encoded, which a second key says; with it, all values of the key are.
 */
export function encodeKeys(keys: ReadonlyMap<string, readonly string[]>): ReadonlyMap<string, readonly string[]> {
  const encoded = new Map<string, readonly string[]>()
  for (const [key, values] of keys) {
    if (values.length === 0) continue
    if (values.every(value => /^[ -~]*$/.test(value))) encoded.set(key, values)
    else {
      encoded.set(key, values.map(encodeURIComponent))
      encoded.set(`${key}-encoded`, ['1'])
    }
  }
  return encoded
}

/** One key of a call's metadata. @throws Failure `invalid` for an escape that is none. */
export function decodeKey(metadata: ReadonlyMap<string, readonly string[]>, key: string): readonly string[] {
  const values = metadata.get(key) ?? []
  if (metadata.get(`${key}-encoded`)?.[0] !== '1') return values
  try {
    return values.map(value => decodeURIComponent(value.replaceAll('+', ' ')))
  } catch (cause) {
    throw new Failure('invalid', `Cannot read "${key}": not percent-encoded`, { cause })
  }
}
