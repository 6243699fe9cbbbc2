/** Blobs of a client's OCI layouts, read over its session. */
import { content, storeKey } from '../../api/buildkit/session-services.ts'
import { Failure } from '../../lib/failure.ts'
import type { ClientBlob } from '../build/request.ts'
import type { Digest } from '../images/digest.ts'
import type { ClientSession } from './sessions.ts'

interface Asked {
  readonly store: string
  readonly digest: Digest
  readonly signal: AbortSignal
}

/** @throws Failure `not-found` when the client has no such blob. */
export async function blobOf(session: ClientSession, { store, digest, signal }: Asked): Promise<ClientBlob> {
  if (!session.serves(content.read.path)) throw new Failure('not-found', `blob ${digest}: the client has no OCI layout`)
  const metadata = new Map([[storeKey, [`oci:${store}`]]])
  const { info } = await session.grpc.call(content.info, { digest }, { metadata, signal })
  if (info === undefined || info.size < 0) throw new Failure('invalid', `Cannot read blob ${digest}: it has no size`)
  return { size: info.size, content: pieces(session, { digest, size: info.size }, { metadata, signal }) }
}

async function* pieces(
  session: ClientSession,
  { digest, size }: { readonly digest: Digest; readonly size: number },
  options: { readonly metadata: ReadonlyMap<string, readonly string[]>; readonly signal: AbortSignal },
): AsyncGenerator<Uint8Array, void, undefined> {
  let at = 0
  for await (const { offset, data } of session.grpc.responses(content.read, { digest, offset: 0, size }, options)) {
    if (offset !== at || at + data.length > size)
      throw new Failure('invalid', `Cannot read blob ${digest}: its pieces do not follow one another`)
    at += data.length
    yield data
  }
  if (at !== size) throw new Failure('invalid', `Cannot read blob ${digest}: it ends after ${at} of ${size} bytes`)
}
