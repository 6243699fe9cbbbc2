/** `x-on-unhealthy`: which containers are restarted or stopped because their check says so, and how long it waits before the next time. */
import type { Project } from '../model/project.ts'
import type { ObservedContainer } from '../targets/engine/observed.ts'

const firstWait = 10_000
const longestWait = 5 * 60_000
/** Healthy for so long, and what was before is forgotten. */
const steady = 10 * 60_000

/** What has been done for one container, by its name: it may be made anew. */
export interface Treated {
  readonly times: number
  /** Milliseconds since 1970. */
  readonly last: number
  /** Not before. */
  readonly next: number
}

export interface Diagnosis {
  /** Id → why. */
  readonly restart: ReadonlyMap<string, string>
  readonly stop: readonly ObservedContainer[]
  readonly treated: ReadonlyMap<string, Treated>
  /** When to look again, in milliseconds since 1970. */
  readonly again: number | undefined
}

export function diagnose(
  project: Project,
  containers: readonly ObservedContainer[],
  { treated: before, now }: { readonly treated: ReadonlyMap<string, Treated>; readonly now: number },
): Diagnosis {
  const treated = new Map(before)
  const restart = new Map<string, string>()
  const stop: ObservedContainer[] = []
  const waits: number[] = []
  for (const container of containers) {
    const { name, id, health, oneOff } = container
    const known = treated.get(name)
    if (health === 'healthy' && known && now - known.last >= steady) treated.delete(name)
    const action = project.services[container.service]?.onUnhealthy ?? 'none'
    if (oneOff || container.state !== 'running' || health !== 'unhealthy' || action === 'none') continue
    if (action === 'stop') {
      stop.push(container)
      treated.set(name, { times: 1, last: now, next: now })
    } else if (known && now < known.next) waits.push(known.next)
    else {
      const times = (known?.times ?? 0) + 1
      treated.set(name, { times, last: now, next: now + Math.min(firstWait * 2 ** (times - 1), longestWait) })
      restart.set(id, times === 1 ? 'it is unhealthy' : `it is unhealthy, for the ${ordinal(times)} time`)
    }
  }
  return { restart, stop, treated, again: waits.length > 0 ? Math.min(...waits) : undefined }
}

/** What a reader of `ps` should know of a container. */
export function noteOf({ times, next }: Treated, isStopped: boolean, now: number): string {
  if (isStopped) return 'stopped because it was unhealthy'
  const often = times === 1 ? 'once' : `${times} times`
  const wait = Math.ceil((next - now) / 1000)
  return `restarted ${often} because it was unhealthy${wait > 0 ? `, again in ${wait} s at the earliest` : ''}`
}

function ordinal(number: number): string {
  const tens = number % 100
  const word = tens >= 11 && tens <= 13 ? 'th' : ({ 1: 'st', 2: 'nd', 3: 'rd' }[number % 10] ?? 'th')
  return `${number}${word}`
}
