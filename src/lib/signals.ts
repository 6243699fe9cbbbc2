/** Unix signal names and numbers (signal(7), x86 and arm). */
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

/** Every name: "SIGHUP", "SIGINT", … */
export function signalNames(): readonly string[] {
  return Object.keys(constants.signals)
}
