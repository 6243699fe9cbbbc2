/** A container whose log driver sends to a server: looked for before it starts, and sent to while it runs and until all is sent. */
import { lstatSync } from 'node:fs'
import { Failure, messageOf } from '../../../lib/failure.ts'
import type { ForwardTarget } from '../../logs/forward/forwards.ts'
import type { Sender } from '../../logs/forward/sender.ts'
import { isForwarded } from '../../logs/log-options.ts'
import { logInfo } from '../config/log-file.ts'
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

/** Sends on what is written, from where it was sent last. `ended`: nothing more will be. */
export function forward(
  parts: Parts,
  container: Container,
  options: { readonly ended: Promise<unknown>; readonly sender?: Sender | undefined },
): void {
  const target = targetOf(parts, container)
  if (!target) return
  if (lstatSync(target.position, { throwIfNoEntry: false })?.isFile() === false)
    parts.aside.keep(target.position, `Cannot use "${target.position}": it is no file`)
  parts.forwards.begin(target, options)
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
