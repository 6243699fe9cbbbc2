/** What went wrong, by kind: the kind decides HTTP status and exit code, the message is for people. */

export const failureKinds = [
  'invalid',
  'not-found',
  'conflict',
  'not-modified',
  'denied',
  'unsupported',
  'unavailable',
  'cancelled',
  'internal',
] as const

export type FailureKind = (typeof failureKinds)[number]

export interface FailureOptions {
  /** What the reader can do about it; starts with a verb, stands apart from the message. */
  readonly hint?: string
  /** The origin: an errno error, a parse error, another Failure. */
  readonly cause?: unknown
  /** The exit code a container-running command should end with (126, 127), when it is not the kind's own. */
  readonly exitCode?: number
}

/**
 * The one error class. `Cannot <action> <thing "name">: <what is>`, sentence case, no full stop.
 *
 *     throw new Failure('conflict', `Cannot remove network "${name}": 2 containers are attached`, { hint: 'Disconnect them first' })
 */
export class Failure extends Error {
  readonly kind: FailureKind
  readonly hint: string | undefined
  readonly exitCode: number | undefined

  constructor(kind: FailureKind, message: string, options: FailureOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'Failure'
    this.kind = kind
    this.hint = options.hint
    this.exitCode = options.exitCode
  }
}

/** Whether `error` is a Failure, of `kind` when one is given. */
export function isFailure(error: unknown, kind?: FailureKind): error is Failure {
  return error instanceof Failure && (kind === undefined || error.kind === kind)
}

/** The message of anything that can be thrown; of two, one of which came of clearing away after the other, that other's. */
export function messageOf(error: unknown): string {
  if (error instanceof Error && 'suppressed' in error) return messageOf(error.suppressed)
  return error instanceof Error ? error.message : String(error)
}

/** The errno name (`ENOENT`) of a Node system error, or undefined. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
