/** Sends a signal to a container; after SIGKILL it returns when the process is gone. */
import { Failure, type FailureKind } from '../../../lib/failure.ts'
import { signalNumber } from '../../../lib/signals.ts'
import type { Container } from '../container.ts'
import { type Parts, tell } from '../parts.ts'
import { letEnd } from './let-end.ts'

/** Those after which nobody wants to see the container come back by policy. */
const deadly = ['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGQUIT']

/** `ref` is what the client called it, which the texts repeat; `find` throws where there is none. */
export async function kill(
  parts: Parts,
  find: () => Container,
  { signal, ref }: { readonly signal: string; readonly ref: string },
): Promise<void> {
  const refused = (kind: FailureKind, why: string) => new Failure(kind, `cannot kill container: ${ref}: ${why}`)
  const name = signal === '' ? 'SIGKILL' : signal
  const number = signalNumber(name)
  if (number === undefined) throw refused('invalid', `invalid signal: ${signal}`)
  let container: Container
  try {
    container = find()
  } catch (error) {
    throw error instanceof Failure ? refused(error.kind, error.message) : error
  }
  const { process } = container
  if (!container.running || !process) throw refused('conflict', `container ${container.id} is not running`)
  const stopSignal = container.record.config.StopSignal
  const numbers = [...deadly, ...(stopSignal ? [stopSignal] : [])].map(signalNumber)
  if (numbers.includes(number)) container.note({ stoppedOnPurpose: true })
  const gone = container.nextExit
  process.signal(number)
  tell(parts, container, 'kill', { signal: String(number) })
  if (number !== signalNumber('SIGKILL')) return
  await letEnd(parts, container)
  await gone
  await container.settled
}
