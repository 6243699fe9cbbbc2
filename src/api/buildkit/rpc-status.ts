/** google.rpc.Status: why a call failed, with details that BuildKit's clients show. */
import { field, list, message } from './message.ts'

const any = message({ typeUrl: field(1, 'string'), value: field(2, 'bytes') })
export const rpcStatus = message({ code: field(1, 'int32'), message: field(2, 'string'), details: list(3, any) })
