/** What is wrong with a stack as a page shows it: files by their absolute paths. */
import { resolve } from 'node:path'
import type { Problem } from '../lib/problems.ts'
import type { ProblemRow } from './wire.ts'

/** `from`: the folder that places are shown from. */
export function problemRows(problems: readonly Problem[], from = '/'): readonly ProblemRow[] {
  return problems.map(({ severity, place, path, message, hint }) => ({
    severity,
    ...(place && { file: resolve(from, place.file), line: place.line, column: place.column }),
    path: path.join('.'),
    message,
    ...(hint !== undefined && { hint }),
  }))
}
