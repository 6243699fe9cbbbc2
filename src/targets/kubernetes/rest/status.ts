/** How an API server says that it refuses: a Status with its reason, for programs, and its causes. */
import { Failure } from '../../../lib/failure.ts'

export interface Status {
  readonly code: number
  /** "AlreadyExists", "Conflict", "Invalid". */
  readonly reason: string
  readonly message: string
  readonly causes: readonly { readonly field: string; readonly reason: string; readonly message: string }[]
}

/** Of the body of an answer; what is none is told as it stands. */
export function statusOf(text: string, code: number): Status {
  let body: Readonly<Record<string, unknown>> = {}
  try {
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed === 'object' && parsed !== null) body = parsed as typeof body
  } catch {
    // a proxy before the server answers as it likes
  }
  const word = (value: unknown) => (typeof value === 'string' ? value : '')
  const details = body['details'] as { readonly causes?: unknown } | undefined
  const causes = Array.isArray(details?.causes) ? (details.causes as readonly Readonly<Record<string, unknown>>[]) : []
  return {
    code,
    reason: word(body['reason']),
    message: word(body['message']) || text.trim().slice(0, 300) || `the server answers ${code}`,
    causes: causes.map(each => ({
      field: word(each['field']),
      reason: word(each['reason']),
      message: word(each['message']),
    })),
  }
}

/** For people, in one line; values that are whole objects, which may hold what is secret, are left out. */
export function refusalText({ message }: Pick<Status, 'message'>): string {
  const [first = ''] = message.split('\n')
  return first.replace(/Invalid value: [\w.]*\{.*\}: /g, '').slice(0, 300)
}

/** Undefined for what no server has said. */
export function statusIn(error: unknown): Status | undefined {
  const cause = error instanceof Failure ? error.cause : undefined
  return typeof cause === 'object' && cause !== null && 'reason' in cause && 'causes' in cause
    ? (cause as Status)
    : undefined
}
