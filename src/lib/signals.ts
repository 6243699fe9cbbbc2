/** Unix signal names and numbers (signal(7), x86 and arm), and AbortSignals with a deadline. */
import { constants } from 'node:os'

/** The number of "SIGTERM", "term", "15"; real-time ones as "SIGRTMIN+3"; undefined when there is no such signal. */
export function signalNumber(name: string): number | undefined {
  if (/^\d+$/.test(name)) {
    const n = Number(name)
    return n >= 1 && n <= 64 ? n : undefined
  }
  const bare = name.toUpperCase().replace(/^SIG/, '')
  const realtime = /^RT(MIN|MAX)(?:([+-])(\d+))?$/.exec(bare)
  if (realtime) {
    const offset = Number(`${realtime[2] ?? '+'}${realtime[3] ?? 0}`)
    const n = (realtime[1] === 'MIN' ? 34 : 64) + offset
    return n >= 34 && n <= 64 ? n : undefined
  }
  return (constants.signals as Readonly<Record<string, number>>)[`SIG${bare}`]
}

/** "SIGTERM" for 15; "SIGRTMIN+3" for 37. */
export function signalName(number: number): string {
  for (const [name, n] of Object.entries(constants.signals))
    if (n === number && name !== 'SIGIOT' && name !== 'SIGPOLL') return name
  return number >= 34 ? `SIGRTMIN+${number - 34}` : String(number)
}

/** Every name: "SIGHUP", "SIGINT", … */
export function signalNames(): readonly string[] {
  return Object.keys(constants.signals)
}

/** A signal that fires when any of `signals` does or after `ms`. */
export function withDeadline(ms: number, ...signals: readonly (AbortSignal | undefined)[]): AbortSignal {
  return AbortSignal.any([AbortSignal.timeout(ms), ...signals.filter(s => s !== undefined)])
}
