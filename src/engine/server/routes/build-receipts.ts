/** Endpoints of ours: builds that are known again. */
import type { receiptEndpoints } from '../../../api/build-receipts.ts'
import type { Handlers } from '../../../api/endpoint.ts'
import { Failure } from '../../../lib/failure.ts'
import type { Receipts } from '../../build/receipts.ts'

export interface ReceiptBackend {
  readonly receipts: Pick<Receipts, 'get' | 'note' | 'use'>
}

export function receiptRoutes({ receipts }: ReceiptBackend): Handlers<typeof receiptEndpoints> {
  return {
    receiptGet: ({ params }) => {
      const { id, note } = receipts.get(params.key)
      return { Receipt: id, Note: note }
    },
    receiptPut: async ({ params, body }) => {
      if (!/^[0-9a-f]{64}$/.test(params.key))
        throw new Failure('invalid', `Cannot note a build as "${params.key}": it should be 64 digits of hex`)
      receipts.note(params.key, body.Receipt, body.Note)
    },
    receiptUse: async ({ params }) => {
      const { image, steps, warnings, source } = await receipts.use(params.key)
      return {
        Image: image.id,
        Steps: steps,
        Warnings: warnings.map(({ rule, message, description, url, lines }) => ({
          Text: `${rule}: ${message} (line ${lines.first})`,
          Detail: description,
          Url: url,
          First: lines.first,
          Last: lines.last,
        })),
        ...(warnings.length > 0 && { Dockerfile: { Name: source.name, Text: source.text } }),
      }
    },
  }
}
