/** A message → the fields of a journal entry, in journald's native protocol. Pure. */
import { extraAttributes, type LogInfo, tagOf } from '../log-info.ts'
import type { LogMessage } from './message.ts'

export type JournalFields = Readonly<Record<string, string>>

const [errors, informational] = ['3', '6']
const shortId = 12

/** What is the same in all entries of a container; `epoch` is one run of the sender. */
export function journalFields(info: LogInfo, epoch: string): JournalFields {
  const tag = tagOf(info, '{{.ID}}')
  const extra = Object.entries(extraAttributes(info)).map(([name, value]) => [fieldName(name), value] as const)
  return {
    CONTAINER_ID: info.id.slice(0, shortId),
    CONTAINER_ID_FULL: info.id,
    CONTAINER_NAME: info.name,
    CONTAINER_TAG: tag,
    IMAGE_NAME: info.imageName,
    SYSLOG_IDENTIFIER: tag,
    ...Object.fromEntries(extra.filter(([name]) => name !== '')),
    CONTAINER_LOG_EPOCH: epoch,
  }
}

/** Capitals, digits and underlines; none of these in front, where journald keeps its own names. */
function fieldName(name: string): string {
  return [...name]
    .map(c => (/[a-z]/.test(c) ? c.toUpperCase() : /[A-Z0-9]/.test(c) ? c : '_'))
    .join('')
    .replace(/^_+/, '')
}

export function journalEntry(
  { stream, text, time, piece }: LogMessage,
  fields: JournalFields,
  ordinal: number,
): Buffer {
  return encoded({
    PRIORITY: stream === 'stderr' ? errors : informational,
    MESSAGE: text,
    ...fields,
    SYSLOG_TIMESTAMP: time,
    CONTAINER_LOG_ORDINAL: String(ordinal),
    ...(piece && {
      ...(!piece.last && { CONTAINER_PARTIAL_MESSAGE: 'true' }),
      CONTAINER_PARTIAL_ID: piece.id,
      CONTAINER_PARTIAL_ORDINAL: String(piece.ordinal),
      CONTAINER_PARTIAL_LAST: String(piece.last),
    }),
  })
}

/** A line a field; a value with a newline in it stands behind its length: systemd's "Native Journal Protocol". */
function encoded(fields: JournalFields): Buffer {
  return Buffer.concat(
    Object.entries(fields).flatMap(([name, value]) => {
      const bytes = Buffer.from(value)
      if (!value.includes('\n')) return [Buffer.from(`${name}=`), bytes, Buffer.from('\n')]
      const length = Buffer.alloc(8)
      length.writeBigUInt64LE(BigInt(bytes.length))
      return [Buffer.from(`${name}\n`), length, bytes, Buffer.from('\n')]
    }),
  )
}
