/** Pieces of a stream of bytes, which several services call BytesMessage. */
import { field, message } from './message.ts'

export const bytesMessage = message({ data: field(1, 'bytes') })
