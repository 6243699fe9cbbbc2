/** x */
import type { FileChange } from '../../api/containers.ts'
import type { Container } from './container.ts'
import type { Parts } from './parts.ts'
export async function changes(_p: Parts, _c: Container): Promise<FileChange[]> {
  throw new Error('x')
}
