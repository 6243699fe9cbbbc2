/** Failure kind ⇄ HTTP status ⇄ {"message": …}. */
import { Failure, type FailureKind, messageOf } from '../lib/failure.ts'

const statuses: Readonly<Record<FailureKind, number>> = {
  invalid: 400,
  'not-found': 404,
  conflict: 409,
  'not-modified': 304,
  denied: 403,
  unsupported: 501,
  unavailable: 503,
  // nginx's number for a client that has left: nobody reads it, the log does
  cancelled: 499,
  internal: 500,
}

/** What is not a Failure is a defect of ours: 500. */
export function statusOf(error: unknown): number {
  return error instanceof Failure ? statuses[error.kind] : 500
}

/** The body of an error reply. */
export interface ErrorReply {
  readonly message: string
  /** Ours: what the reader can do; Docker's clients overlook it. */
  readonly hint?: string
  /** Ours: the exit code a command that ran a container should end with. */
  readonly exitCode?: number
}

export function errorReply(error: unknown): ErrorReply {
  const message = messageOf(error)
  if (!(error instanceof Failure)) return { message }
  return {
    message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.exitCode === undefined ? {} : { exitCode: error.exitCode }),
  }
}

/** The failure that an engine's status and body tell; any text that is no JSON is the message itself. */
export function replyFailure(status: number, body: string, what: string): Failure {
  const reply = parseReply(body)
  const message = reply.message || `Cannot ${what}: the engine answered ${status} without a message`
  return new Failure(kindOf(status), message, {
    ...(reply.hint === undefined ? {} : { hint: reply.hint }),
    ...(reply.exitCode === undefined ? {} : { exitCode: reply.exitCode }),
  })
}

function parseReply(body: string): ErrorReply {
  let data: unknown
  try {
    data = JSON.parse(body)
  } catch {
    // attach and "too old" answer in plain text
    return { message: body.trim() }
  }
  if (typeof data !== 'object' || data === null) return { message: body.trim() }
  const { message, hint, exitCode } = data as Record<string, unknown>
  return {
    message: typeof message === 'string' ? message : '',
    ...(typeof hint === 'string' ? { hint } : {}),
    ...(Number.isInteger(exitCode) ? { exitCode: exitCode as number } : {}),
  }
}

/** Also for statuses only other engines send: 401 denied, 502 and 504 unavailable, the rest by class. */
export function kindOf(status: number): FailureKind {
  for (const [kind, number] of Object.entries(statuses)) if (number === status) return kind as FailureKind
  if (status === 401) return 'denied'
  if (status === 502 || status === 504) return 'unavailable'
  return status >= 400 && status < 500 ? 'invalid' : 'internal'
}
