/** States of stacks and services in words. */
import type { Condition, ServiceRow } from '../../view/stacks.ts'

export const conditionWords: Readonly<Record<Condition, string>> = {
  failed: 'failed',
  unhealthy: 'unhealthy',
  restarting: 'restarting',
  starting: 'starting',
  paused: 'paused',
  created: 'created',
  stopped: 'stopped',
  running: 'running',
  done: 'done',
}

/** How a state is coloured: by what it means for a person, never by colour alone. */
export type Tone = 'good' | 'bad' | 'warn' | 'idle'

export function toneOf(condition: Condition): Tone {
  switch (condition) {
    case 'failed':
    case 'unhealthy':
      return 'bad'
    case 'restarting':
    case 'starting':
    case 'paused':
      return 'warn'
    case 'running':
      return 'good'
    default:
      return 'idle'
  }
}

/** "5 running, 1 unhealthy"; the worst first. */
export function summaryOf(services: readonly ServiceRow[]): string {
  if (services.length === 0) return 'nothing is there'
  const counts = new Map<Condition, number>()
  for (const { condition } of services) counts.set(condition, (counts.get(condition) ?? 0) + 1)
  const order = Object.keys(conditionWords) as Condition[]
  return order
    .flatMap(condition => {
      const count = counts.get(condition)
      return count === undefined ? [] : [`${count} ${conditionWords[condition]}`]
    })
    .join(', ')
}

/** "just now", "4 min ago". */
export function agoText(time: number, now: number): string {
  const seconds = Math.max(0, Math.round((now - time) / 1000))
  if (seconds < 5) return 'just now'
  if (seconds < 60) return `${seconds} s ago`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`
  return `${Math.floor(seconds / 86_400)} d ago`
}

/** "12.4 MiB". */
export function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = bytes
  let at = 0
  while (value >= 1024 && at < units.length - 1) {
    value /= 1024
    at++
  }
  return `${at === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[at]}`
}

export function durationText(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`
  if (milliseconds < 60_000) return `${(milliseconds / 1000).toFixed(1)} s`
  return `${Math.floor(milliseconds / 60_000)} min ${Math.round((milliseconds % 60_000) / 1000)} s`
}
