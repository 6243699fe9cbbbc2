/** A message → an event of Fluentd's forward protocol, version 1: [tag, time, record, options] in MessagePack. Pure. */
import { ExtData, encode } from '@msgpack/msgpack'
import { extraAttributes, type LogInfo } from '../log-info.ts'
import { nanoseconds } from '../records.ts'
import type { LogMessage } from './message.ts'

const billion = 1_000_000_000n

export interface FluentdSource {
  readonly tag: string
  readonly subSecond: boolean
  readonly info: LogInfo
}

/** `chunk`: what the server is to confirm; undefined when it need not. */
export function fluentdEvent(message: LogMessage, source: FluentdSource, chunk: string | undefined): Uint8Array {
  const { tag, info } = source
  const { piece, text, stream } = message
  const record = {
    container_id: info.id,
    container_name: `/${info.name}`,
    source: stream,
    log: text,
    ...extraAttributes(info),
    ...(piece && {
      partial_message: 'true',
      partial_id: piece.id,
      partial_ordinal: String(piece.ordinal),
      partial_last: String(piece.last),
    }),
  }
  return encode([tag, eventTime(message.time, source.subSecond), record, chunk === undefined ? {} : { chunk }])
}

/** Seconds, or EventTime: extension type 0 of seconds and nanoseconds, 32 bits each. */
function eventTime(time: string, subSecond: boolean): number | ExtData {
  const all = nanoseconds(time)
  const seconds = Number(all / billion)
  if (!subSecond) return seconds
  const bytes = Buffer.alloc(8)
  bytes.writeUInt32BE(seconds, 0)
  bytes.writeUInt32BE(Number(all % billion), 4)
  return new ExtData(0, bytes)
}
