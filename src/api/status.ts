/** Failure kind ⇄ HTTP status ⇄ {"message": …}. */
import { Failure, type FailureKind, type FailureOptions, failureKinds, messageOf } from '../lib/failure.ts'

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

/** The engine itself cannot, now or ever: 503, after which clients ask another time or another engine. */
export class NotReady extends Failure {
  constructor(message: string, options: FailureOptions = {}) {
    super('unavailable', message, options)
  }
}

/**
 * What is not a Failure is a defect of ours: 500. So is, as with Docker, what something beyond the engine did not do, such as a registry:
 * who is told 503 asks again and again.
 */
export function statusOf(error: unknown): number {
  if (!(error instanceof Failure)) return 500
  return error.kind === 'unavailable' && !(error instanceof NotReady) ? 500 : statuses[error.kind]
}

/** The body of an error reply. */
export interface ErrorReply {
  readonly message: string
  /** Ours: what the reader can do; Docker's clients overlook it. */
  readonly hint?: string
  /** Ours: the exit code a command that ran a container should end with. */
  readonly exitCode?: number
  /** Ours: of what kind it is, where the status says another. */
  readonly kind?: FailureKind
}

export function errorReply(error: unknown): ErrorReply {
  const message = messageOf(error)
  if (!(error instanceof Failure)) return { message }
  return {
    message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.exitCode === undefined ? {} : { exitCode: error.exitCode }),
    ...(kindOf(statusOf(error)) === error.kind ? {} : { kind: error.kind }),
  }
}

/** The failure that an engine's status and body tell; any text that is no JSON is the message itself. */
export function replyFailure(status: number, body: string, what: string): Failure {
  const reply = parseReply(body)
  const message = reply.message || `Cannot ${what}: the engine answered ${status} without a message`
  return new Failure(reply.kind ?? kindOf(status), message, {
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
  const { message, hint, exitCode, kind } = data as Record<string, unknown>
  return {
    message: typeof message === 'string' ? message : '',
    ...(typeof hint === 'string' ? { hint } : {}),
    ...(Number.isInteger(exitCode) ? { exitCode: exitCode as number } : {}),
    ...(failureKinds.some(each => each === kind) ? { kind: kind as FailureKind } : {}),
  }
}

/** Also for statuses only other engines send: 401 denied, 502 and 504 unavailable, the rest by class. */
export function kindOf(status: number): FailureKind {
  for (const [kind, number] of Object.entries(statuses)) if (number === status) return kind as FailureKind
  if (status === 401) return 'denied'
  if (status === 502 || status === 504) return 'unavailable'
  return status >= 400 && status < 500 ? 'invalid' : 'internal'
}
