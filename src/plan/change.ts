/** One field that differs, with its old and new value in the stack's notation; what is secret is told by a short hash. */
import { stableHash } from '../lib/stable-json.ts'

export interface Change {
  /** As the stack file names it: "environment.TAG", "ports", "image digest". An entry of a list is a change of its own. */
  readonly path: string
  /** Absent: it was not set, or nobody knows its value. */
  readonly from?: string
  /** Absent: it is no longer set, or its value cannot be told. */
  readonly to?: string
}

/** Beyond this a value is cut when it is printed. */
const longest = 60

/** "image a→b", "ports +8443:443", "environment.TAG -1", "init changed". */
export function changeText({ path, from, to }: Change): string {
  if (from === undefined && to === undefined) return `${path} changed`
  if (from === undefined) return `${path} +${cut(to!)}`
  if (to === undefined) return `${path} -${cut(from)}`
  return `${path} ${cut(from)}→${cut(to)}`
}

export function changesText(changes: readonly Change[]): string {
  return changes.map(changeText).join(' · ')
}

/** Both ends matter: of two long values that differ at the end the difference would be lost. */
function cut(text: string): string {
  const shown = text === '' ? '""' : text.replaceAll('\n', '\\n')
  return shown.length <= longest ? shown : `${shown.slice(0, longest / 2)}…${shown.slice(1 - longest / 2)}`
}

/** "#3fa2b1c0": equal for equal values, and says nothing else of them. */
export function hashText(value: unknown): string {
  return `#${stableHash(value).slice(0, 8)}`
}

const secretName = /pass(?!ive)|pwd|secret|token|key(?!board)|credential|auth(?!or)|private|cookie|salt|signature|dsn/i
/** `--password x`, `TOKEN=x`, `password: x`, `scheme://user:password@host`, and the armour of a key. */
const secretValue =
  /(?:pass(?:word|wd|phrase)?|pwd|secret|token|api[-_]?key|credentials?)["']?(?:[=:]|\s+\S)|:\/\/[^/\s:@]*:[^/\s@]+@|-----BEGIN/i

/** Whether a value had better not be shown, by its name or by what it looks like. */
export function looksSecret(name: string, value: string): boolean {
  return secretName.test(name) || secretValue.test(value)
}
