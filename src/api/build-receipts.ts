/**
 * Ours: what a build of before was made of, so that the same build again costs two calls. The engine knows its side (base images, steps),
 * the client its own (files), which it notes here in words that only it reads.
 */
import { empty, endpoint, json, table } from './endpoint.ts'

/** Of whoever asks for a build: it wants a receipt in the answer, under the same name. */
export const receiptKey = 'tscompose.receipt'

export interface BuildReceiptNote {
  /** As the build's answer has it. */
  readonly Receipt: string
  /** The client's words. */
  readonly Note: string
}

export interface BuiltAgain {
  /** Id of the image, which has its names. */
  readonly Image: string
  /** As they are shown, in order. */
  readonly Steps: readonly string[]
  /** What the build checks said of the Dockerfile. */
  readonly Warnings: readonly BuiltWarning[]
  /** The Dockerfile that they are about. */
  readonly Dockerfile?: { readonly Name: string; readonly Text: string }
}

export interface BuiltWarning {
  readonly Text: string
  readonly Detail: string
  readonly Url: string
  readonly First: number
  readonly Last: number
}

export const receiptEndpoints = table({
  /** `key`: by which the client knows this build again, 64 digits of hex. */
  receiptGet: endpoint('GET', '/build/receipts/{key}', { reply: json<BuildReceiptNote>() }),
  receiptPut: endpoint('PUT', '/build/receipts/{key}', {
    body: json<BuildReceiptNote>(({ z }) =>
      z.object({ Receipt: z.string().min(1).max(64), Note: z.string().max(512 * 1024) }),
    ),
    reply: empty,
  }),
  /** Names the image anew as the build did; 404 when anything that it was made of is another by now. */
  receiptUse: endpoint('POST', '/build/receipts/{key}/use', { reply: json<BuiltAgain>() }),
})
