/** Digests, by one strict grammar, before they become file names: sha256 and 64 lower-case hex digits, nothing else. */
import { createHash } from 'node:crypto'
import { Failure } from '../../lib/failure.ts'

export type Digest = `sha256:${string}`

export function isDigest(text: string): text is Digest {
  return /^sha256:[0-9a-f]{64}$/.test(text)
}

/** @throws Failure `invalid` naming `what` carries it. */
export function parseDigest(text: string, what: string): Digest {
  if (isDigest(text)) return text
  const shown = JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text)
  throw new Failure(
    'invalid',
    `Cannot use digest ${shown} of ${what}: it should be "sha256:" and 64 lower-case hex digits`,
  )
}

/** The 64 hex digits. */
export function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length)
}

export function digestOf(data: string | Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(data).digest('hex')}`
}
