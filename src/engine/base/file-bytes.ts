/** The bytes of a file, opened when the first of them is asked for: a stream that nobody comes to read opens it all the same, and fails where nobody listens. */
import { createReadStream } from 'node:fs'
import type { HostPath } from '../../runtime/spec.ts'

/** `onRead` is told of all bytes read so far. */
export async function* fileBytes(
  path: HostPath,
  { piece = 256 * 1024, onRead }: { readonly piece?: number; readonly onRead?: (total: number) => void } = {},
): AsyncGenerator<Buffer, void, undefined> {
  let total = 0
  for await (const chunk of createReadStream(path, { highWaterMark: piece }) as AsyncIterable<Buffer>) {
    total += chunk.length
    onRead?.(total)
    yield chunk
  }
}
