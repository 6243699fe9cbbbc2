/** Problems of a stack as an editor shows them, each with the file that it stands in. */
import { dirname, resolve } from 'node:path'
import type { Problem } from '../lib/problems.ts'
import { wordAt } from './position.ts'

export interface Diagnosed {
  readonly severity: 'error' | 'warning'
  readonly code: string
  readonly message: string
  /** From 0. */
  readonly line: number
  readonly from: number
  readonly to: number
}

export interface DiagnosisContext {
  /** The file that was checked, absolute: what has no place is shown at its beginning. */
  readonly file: string
  /** Lines of any file, as the editor has them. */
  lines(file: string): readonly string[]
}

/** Absolute path → what is wrong in it; the file that was checked is always there. */
export function diagnose(
  problems: readonly Problem[],
  { file, lines }: DiagnosisContext,
): ReadonlyMap<string, readonly Diagnosed[]> {
  const found = new Map<string, Diagnosed[]>([[file, []]])
  for (const { severity, code, place, path, message, hint } of problems) {
    // places are told from the folder of the file
    const at = place ? resolve(dirname(file), place.file) : file
    const line = (place?.line ?? 1) - 1
    const column = (place?.column ?? 1) - 1
    const { to } = wordAt(lines(at)[line] ?? '', column)
    const field = path.length > 0 ? `${path.join('.')}: ` : ''
    const list = found.get(at) ?? []
    found.set(at, list)
    list.push({
      severity,
      code,
      message: `${field}${message}${hint === undefined ? '' : `\n${hint}`}`,
      line,
      from: column,
      to: Math.max(to, column + 1),
    })
  }
  return found
}
