/** Gives the terminal of a running container another size. */
import { Failure } from '../../../lib/failure.ts'
import type { Container } from '../container.ts'
import { type Parts, tell } from '../parts.ts'

export interface WindowSize {
  readonly rows: number
  readonly columns: number
}

/** @throws Failure `conflict` when it does not run. */
export function resize(parts: Parts, container: Container, { rows, columns }: WindowSize): void {
  if (!container.process) throw new Failure('conflict', `container ${container.id} is not running`)
  container.process.resize(rows, columns)
  tell(parts, container, 'resize', { height: String(rows), width: String(columns) })
}
