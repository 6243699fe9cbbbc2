/** Stops a container: its signal, its grace, then SIGKILL; returns when the process is gone, however long the kernel takes. */
import { Failure } from '../../../lib/failure.ts'
import { signalNumber } from '../../../lib/signals.ts'
import type { Container } from '../container.ts'
import { releaseNetwork } from '../network.ts'
import { type Parts, tell } from '../parts.ts'
import { letEnd, thawed } from './let-end.ts'

export interface StopOptions {
  /** Seconds of grace; undefined: the container's own, else 10; negative: for ever. */
  readonly timeout?: number | undefined
  /** Name or number; undefined: the container's own, else SIGTERM. */
  readonly signal?: string | undefined
}

const defaultGrace = 10
const SIGKILL = 9

/** @throws Failure `not-modified` when it does not run. */
export async function stop(parts: Parts, container: Container, options: StopOptions = {}): Promise<void> {
  if (container.state.status === 'restarting') {
    // between two runs: there is no process, only the plan to start one
    clearTimeout(container.restart)
    container.restart = undefined
    container.move('exited', { stoppedOnPurpose: true })
    // kept for the run that is now not to come; a restart verb starts one at once
    if (!container.restarting) await releaseNetwork(parts, container)
    await container.save()
    tell(parts, container, 'stop')
    return
  }
  if (!container.running) throw new Failure('not-modified', `Container ${container.id} is not running`)
  const name = options.signal || container.record.config.StopSignal || 'SIGTERM'
  const number = signalNumber(name)
  if (number === undefined) throw new Failure('invalid', `invalid signal: ${name}`)
  const grace = options.timeout ?? container.record.config.StopTimeout ?? defaultGrace
  container.note({ stoppedOnPurpose: true })
  const gone = container.nextExit
  await signalAndLetEnd(parts, container, number)
  if (grace >= 0 && !(await within(gone, grace * 1000))) await signalAndLetEnd(parts, container, SIGKILL)
  await gone
  await container.settled
  tell(parts, container, 'stop')
}

/** Whether `gone` came to pass in time. */
async function within(gone: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>(resolve => {
    timer = setTimeout(() => resolve(false), ms)
  })
  try {
    return await Promise.race([gone.then(() => true), late])
  } finally {
    clearTimeout(timer)
  }
}

async function signalAndLetEnd(parts: Parts, container: Container, number: number): Promise<void> {
  const { process } = container
  if (!process) return
  try {
    process.signal(number)
  } catch (error) {
    // It has ended between the look and the signal, which is what was wanted.
    if (!(error instanceof Failure) || error.kind !== 'conflict') throw error
    return
  }
  tell(parts, container, 'kill', { signal: String(number) })
  await (number === SIGKILL ? letEnd : thawed)(parts, container)
}
