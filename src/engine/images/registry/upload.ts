/** A blob to a repository: skipped when it is there, taken over from another repository, or sent in pieces that can be sent again. */
import type { IncomingMessage } from 'node:http'
import { Failure, isFailure } from '../../../lib/failure.ts'
import type { Digest } from '../digest.ts'
import type { Repository } from './repository.ts'
import { Retry } from './retry.ts'

export interface Upload {
  readonly digest: Digest
  readonly size: number
  /** Its bytes from `start` up to, not including, `end`. */
  read(start: number, end: number): AsyncIterable<Uint8Array>
}

export interface UploadOptions {
  readonly signal: AbortSignal
  /** Paths of repositories of the same registry that have it. */
  readonly from?: readonly string[]
  readonly onBytes?: ((sent: number) => void) | undefined
}

/** Where a blob is now, and how it came there. */
export type Arrival = { readonly how: 'present' | 'sent' } | { readonly how: 'mounted'; readonly from: string }

/** `bytes` is called for when they are needed: a blob that is there need not be made first. */
export async function upload(
  repository: Repository,
  digest: Digest,
  bytes: () => Promise<Upload>,
  options: UploadOptions,
): Promise<Arrival> {
  const { signal, from = [] } = options
  if (await repository.has(digest, signal)) return { how: 'present' }
  for (const path of from) if (await mount(repository, digest, path, signal)) return { how: 'mounted', from: path }
  await send(repository, await bytes(), options)
  return { how: 'sent' }
}

async function mount(repository: Repository, digest: Digest, from: string, signal: AbortSignal): Promise<boolean> {
  const query = new URLSearchParams({ mount: digest, from })
  const response = await post(repository, `blobs/uploads/?${query}`, signal)
  response.resume()
  if (response.statusCode === 201) return true
  // an upload was begun instead, which nobody will use; one that cannot be given up ends by itself
  if (response.statusCode === 202) await abandon(repository, await repository.location(response, signal), signal)
  return false
}

async function abandon(repository: Repository, where: URL, signal: AbortSignal): Promise<void> {
  try {
    ;(await repository.request(where, { method: 'DELETE', signal })).resume()
  } catch (error) {
    if (isFailure(error, 'cancelled')) throw error
  }
}

async function send(repository: Repository, blob: Upload, { signal, onBytes }: UploadOptions): Promise<void> {
  const retry = new Retry(repository.settings, signal)
  for (;;) {
    try {
      const where = await begin(repository, signal)
      try {
        return await inPieces(repository, blob, where, { signal, onBytes, retry })
      } catch (error) {
        if (signal.aborted) await abandon(repository, where, AbortSignal.timeout(2000)).catch(() => undefined)
        throw error
      }
    } catch (error) {
      // the upload is gone, a restarted registry does not know it any more: from the start
      await retry.after(error)
    }
  }
}

async function begin(repository: Repository, signal: AbortSignal): Promise<URL> {
  const response = await post(repository, 'blobs/uploads/', signal)
  if (response.statusCode !== 202) throw await repository.failure(response, 'uploads')
  response.resume()
  return await repository.location(response, signal)
}

function post(repository: Repository, path: string, signal: AbortSignal): Promise<IncomingMessage> {
  return repository.request(path, { method: 'POST', headers: { 'Content-Length': '0' }, signal })
}

interface Sending {
  readonly signal: AbortSignal
  readonly onBytes: UploadOptions['onBytes']
  readonly retry: Retry
}

async function inPieces(repository: Repository, blob: Upload, start: URL, sending: Sending): Promise<void> {
  const { signal, onBytes, retry } = sending
  const { piece } = repository.settings
  let where = start
  let offset = 0
  while (blob.size - offset > piece) {
    const end = offset + piece
    try {
      const response = await repository.request(where, {
        method: 'PATCH',
        headers: {
          'Content-Type': 'application/octet-stream',
          'Content-Length': String(piece),
          'Content-Range': `${offset}-${end - 1}`,
        },
        body: () => counted(blob.read(offset, end), offset, onBytes),
        signal,
      })
      if (response.statusCode !== 202) throw await repository.failure(response, blob.digest)
      response.resume()
      where = await repository.location(response, signal)
      offset = end
      retry.advanced()
    } catch (error) {
      await retry.after(error)
      ;({ where, offset } = await progressOf(repository, where, blob.size, signal))
    }
  }
  const last = new URL(where)
  last.searchParams.set('digest', blob.digest)
  const response = await repository.request(last, {
    method: 'PUT',
    headers: { 'Content-Type': 'application/octet-stream', 'Content-Length': String(blob.size - offset) },
    body: () => counted(blob.read(offset, blob.size), offset, onBytes),
    signal,
  })
  if (response.statusCode === 201) return void response.resume()
  const failure = await repository.failure(response, blob.digest)
  // an upload that the registry has forgotten is begun anew
  throw response.statusCode === 404 ? new Failure('unavailable', failure.message) : failure
}

/** How much of an upload has arrived. @throws Failure `unavailable` when it is not known any more. */
async function progressOf(repository: Repository, where: URL, size: number, signal: AbortSignal) {
  const response = await repository.request(where, { signal })
  response.resume()
  if (response.statusCode !== 204) throw new Failure('unavailable', `Cannot go on sending to ${repository.name}`)
  const last = /^(?:bytes=)?0-(\d+)$/.exec(response.headers.range ?? '')?.[1]
  const arrived = last === undefined ? 0 : Number(last) + 1
  const next = response.headers.location ? await repository.location(response, signal) : where
  if (arrived > size)
    throw new Failure('unavailable', `Cannot go on sending to ${repository.name}: it has more than was sent`)
  return { where: next, offset: arrived }
}

async function* counted(
  source: AsyncIterable<Uint8Array>,
  before: number,
  onBytes: UploadOptions['onBytes'],
): AsyncGenerator<Uint8Array, void, undefined> {
  let sent = before
  for await (const chunk of source) {
    sent += chunk.length
    yield chunk
    onBytes?.(sent)
  }
}
