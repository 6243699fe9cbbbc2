/** What is done with a container's log beside its monitor: sent to a server, which is looked for before the start, and compressed. */
import { lstatSync } from 'node:fs'
import { Failure, messageOf } from '../../../lib/failure.ts'
import type { ForwardTarget } from '../../logs/forward/forwards.ts'
import { sentInode } from '../../logs/forward/position.ts'
import type { Sender } from '../../logs/forward/sender.ts'
import { isForwarded } from '../../logs/log-options.ts'
import { isPacked, isReadable, logFile, logInfo } from '../config/log-file.ts'
import type { Container } from '../container.ts'
import type { Parts } from '../parts.ts'

/** A connection for the start; undefined when the driver has none to make. @throws Failure in Docker's words, with the reason. */
export async function openForward(
  parts: Parts,
  container: Container,
  undo: AsyncDisposableStack,
): Promise<Sender | undefined> {
  const target = targetOf(parts, container)
  if (!target) return undefined
  try {
    const sender = await parts.forwards.connect(target)
    undo.defer(() => sender?.close())
    return sender
  } catch (cause) {
    throw new Failure(
      'internal',
      `failed to create task for container: failed to initialize logging driver: ${messageOf(cause)}`,
      { cause },
    )
  }
}

interface Tended {
  /** Settles when nothing more will be written. */
  readonly ended: Promise<unknown>
  /** A connection that is there already. */
  readonly sender?: Sender | undefined
}

/** Sends on what is written, from where it was sent last, and compresses what is rotated. */
export function tendLog(parts: Parts, container: Container, { ended, sender }: Tended): void {
  const { id, name, record } = container
  const target = targetOf(parts, container)
  if (target) {
    if (lstatSync(target.position, { throwIfNoEntry: false })?.isFile() === false)
      parts.aside.keep(target.position, `Cannot use "${target.position}": it is no file`)
    parts.forwards.begin(target, { ended, sender })
  }
  if (!isPacked(record.hostConfig.LogConfig)) return
  const sentFrom = target && (() => sentInode(target.position))
  parts.compressor.begin({ id, name, path: parts.paths.containerLog(id), ended, sentFrom })
}

/** What of it was not sent yet goes out before it is gone. */
export async function removeLog({ forwards, compressor }: Parts, { id }: Container): Promise<void> {
  await Promise.all([forwards.removed(id), compressor.removed(id)])
}

/** What was printed stays under a name; or what is kept under the container's own goes with it. */
export async function leaveLog(parts: Parts, { id, record }: Container, name: string | undefined): Promise<void> {
  const path = parts.paths.containerLog(id)
  const spec = logFile(record, path)
  if (name === undefined) return await parts.pastLogs.forget(past => past.name === record.name)
  if (!spec || !isReadable(record.hostConfig.LogConfig)) return
  const limit = spec.maxSize < 0 ? Number.POSITIVE_INFINITY : spec.maxSize * spec.maxFiles
  const { Labels, Tty } = record.config
  await parts.pastLogs.keep({ id, name, labels: Labels, tty: Tty, path, limit })
}

function targetOf({ paths }: Parts, { record }: Container): ForwardTarget | undefined {
  const { Type } = record.hostConfig.LogConfig
  if (!isForwarded(Type)) return undefined
  return {
    driver: Type,
    info: logInfo(record, paths.containerLog(record.id)),
    position: paths.containerForward(record.id),
  }
}
