/** Files into and out of a container. */
import type { Archive, PathStat } from '../../api/endpoint.ts'
import type { Container } from './container.ts'
import type { Parts } from './parts.ts'
export async function statPath(_p: Parts, _c: Container, _o: { path: string; ref: string }): Promise<PathStat> {
  throw new Error('x')
}
export async function readArchive(_p: Parts, _c: Container, _o: { path: string; ref: string }): Promise<Archive> {
  throw new Error('x')
}
export async function writeArchive(
  _p: Parts,
  _c: Container,
  _o: {
    path: string
    ref: string
    content: AsyncIterable<Uint8Array>
    noOverwriteDirNonDir?: boolean
    copyUIDGID?: boolean
  },
): Promise<void> {
  throw new Error('x')
}
