/** A message → GELF 1.1, and what of it goes into one datagram. Pure. */
import { randomBytes } from 'node:crypto'
import { Failure } from '../../../lib/failure.ts'
import { extraAttributes, type LogInfo, tagOf } from '../log-info.ts'
import { nanoseconds } from '../records.ts'
import type { LogMessage } from './message.ts'

/** Of GELF over UDP: what fits into one datagram of an Ethernet frame, and how many make a message at most. */
const datagram = 1420
const header = 12
const mostPieces = 128

const [errors, informational] = [3, 6]

/** What is the same in all messages of a container. */
export function gelfFields(info: LogInfo): Readonly<Record<string, string>> {
  const own = {
    container_id: info.id,
    container_name: info.name,
    image_id: info.imageId,
    image_name: info.imageName,
    command: [info.path, ...info.args].join(' '),
    tag: tagOf(info, '{{.ID}}'),
    created: info.created,
  }
  const named = Object.entries({ ...own, ...extraAttributes(info) })
  return Object.fromEntries(named.map(([name, value]) => [name.startsWith('_') ? name : `_${name}`, value]))
}

export function gelfText({ stream, text, time }: LogMessage, host: string, fields: object): string {
  return JSON.stringify({
    version: '1.1',
    host,
    short_message: text,
    timestamp: Number(nanoseconds(time) / 1_000_000n) / 1000,
    level: stream === 'stderr' ? errors : informational,
    ...fields,
  })
}

/** Datagrams of a message. @throws Failure `invalid` for one that takes too many. */
export function gelfDatagrams(bytes: Buffer): readonly Buffer[] {
  if (bytes.length <= datagram) return [bytes]
  const room = datagram - header
  const count = Math.ceil(bytes.length / room)
  if (count > mostPieces)
    throw new Failure('invalid', `${bytes.length} bytes take ${count} datagrams, and GELF has ${mostPieces} at most`)
  const id = randomBytes(8)
  return Array.from({ length: count }, (_, i) =>
    Buffer.concat([Buffer.from([0x1e, 0x0f]), id, Buffer.from([i, count]), bytes.subarray(i * room, (i + 1) * room)]),
  )
}
