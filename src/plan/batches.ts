/** How an update of a service comes about, for whoever is shown the plan: in which batches, in which order, and what follows a failure. */
import { formatDuration } from '../lib/units.ts'

/** What is done when too many new containers fail. */
export type FailureAction = 'pause' | 'continue' | 'rollback'

/** How containers take the place of others. */
export interface Pace {
  /** At once; 0: all. */
  readonly parallelism: number
  readonly order: 'start-first' | 'stop-first'
  /** Why the order is not as the stack says, or would be without this. */
  readonly why?: string
  /** Milliseconds between two batches. */
  readonly delay?: number
  /** Milliseconds for which each must go on well. */
  readonly monitor?: number
}

export interface Batches extends Pace {
  /** Names of containers. */
  readonly batches: readonly (readonly string[])[]
  readonly onFailure: FailureAction
  /** Of all, so many may fail: 0 to 1. */
  readonly maxFailureRatio?: number
  /** How it goes back, where `onFailure` is rollback. */
  readonly back?: Pace
}

/** More names than these are told by the first and the last. */
const shown = 6

/** Two sentences, a line each: "one by one, 10s apart: shop-web-1, shop-web-2; start-first, …" and what follows a failure. */
export function batchesText({ batches, onFailure, maxFailureRatio = 0, back, ...pace }: Batches): readonly string[] {
  const names = batches.flat()
  const isOne = names.length === 1
  const groups = batches.map(batch => batch.join(', '))
  const which =
    names.length > shown ? `${names[0]} … ${names.at(-1)}` : groups.join(pace.parallelism === 1 ? ', ' : ' · ')
  const how = isOne ? which : `${paceText(pace)}: ${which}`
  const when =
    maxFailureRatio > 0 ? `when more than ${Math.round(maxFailureRatio * 1000) / 10} % fail` : 'when one fails'
  const then = {
    pause: 'the update pauses',
    continue: 'it goes on',
    rollback: `back to ${isOne ? 'the container' : 'the containers'} before${back ? `, ${[...(isOne ? [] : [paceText(back)]), ...traits(back)].join(', ')}` : ''}`,
  }[onFailure]
  return [[how, ...traits(pace)].join('; '), `${when}: ${then}`]
}

/** "2 at once, 10s apart". */
function paceText({ parallelism, delay = 0 }: Pace): string {
  const size = parallelism === 0 ? 'all at once' : parallelism === 1 ? 'one by one' : `${parallelism} at once`
  return delay > 0 && parallelism !== 0 ? `${size}, ${formatDuration(delay * 1e6)} apart` : size
}

function traits({ order, why, monitor = 0 }: Pace): readonly string[] {
  return [
    why === undefined ? order : `${order}, since ${why}`,
    ...(monitor > 0 ? [`each watched for ${formatDuration(monitor * 1e6)}`] : []),
  ]
}
