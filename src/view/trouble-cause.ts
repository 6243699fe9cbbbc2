/** Why a container is not well, in a sentence; by its state as the engine tells it. */
import type { ContainerState } from '../api/containers.ts'
import { binarySize } from '../lib/units.ts'
import type { Condition } from './stacks.ts'

export interface TroubleInput {
  readonly condition: Condition
  readonly state: Pick<ContainerState, 'ExitCode' | 'OOMKilled' | 'Error' | 'Health'>
  readonly restarts: number
  /** Bytes; 0: none. */
  readonly memoryLimit: number
  /** It ended more than once lately. */
  readonly isRestless: boolean
}

export interface TroubleCause {
  readonly kind: 'failed' | 'unhealthy' | 'restarting' | 'memory'
  readonly text: string
}

/** Undefined: it is well, or was ended by a person. */
export function causeOf({
  condition,
  state,
  restarts,
  memoryLimit,
  isRestless,
}: TroubleInput): TroubleCause | undefined {
  if (condition === 'unhealthy') return { kind: 'unhealthy', text: healthText(state.Health) }
  const again = restarts > 0 ? `, restarted ${restarts === 1 ? 'once' : `${restarts} times`}` : ''
  if (state.OOMKilled && condition !== 'running') {
    const limit = memoryLimit > 0 ? ` (limit ${binarySize(memoryLimit)})` : ''
    return { kind: 'memory', text: `Killed: out of memory${limit}${again}` }
  }
  if (condition === 'restarting' || (condition === 'running' && isRestless))
    return { kind: 'restarting', text: `Keeps ending: ${endText(state)}${again}` }
  if (condition === 'failed') return { kind: 'failed', text: capital(endText(state)) + again }
  return undefined
}

/** Exit codes that say more than their number: chroot(1), signal(7). */
const meanings: Readonly<Record<number, string>> = {
  125: 'the container could not be started',
  126: 'its command cannot be run',
  127: 'its command was not found',
  132: 'an illegal instruction (SIGILL)',
  134: 'it gave up (SIGABRT)',
  135: 'a bus error (SIGBUS)',
  136: 'a wrong calculation (SIGFPE)',
  137: 'killed (SIGKILL)',
  139: 'a wrong memory access (SIGSEGV)',
  143: 'ended by SIGTERM',
}

function endText({ ExitCode, Error: error }: TroubleInput['state']): string {
  if (error !== '') return error
  const meaning = meanings[ExitCode]
  return meaning === undefined ? `ended with ${ExitCode}` : `ended with ${ExitCode}, ${meaning}`
}

function healthText(health: ContainerState['Health']): string {
  const last = health?.Log?.at(-1)
  const times = health && health.FailingStreak > 1 ? ` ${health.FailingStreak} times` : ''
  const said = last?.Output.trim().split('\n').at(-1)?.slice(0, 300)
  return `Its healthcheck failed${times}${said ? `: ${said}` : last ? `, with ${last.ExitCode}` : ''}`
}

function capital(text: string): string {
  return text === '' ? text : text[0]!.toUpperCase() + text.slice(1)
}
