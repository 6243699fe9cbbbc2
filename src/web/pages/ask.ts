/** Questions to the server, and what it refuses as an error with its hint. */
import type { ErrorAnswer, ProblemRow } from '../wire.ts'

export class Refused extends Error {
  readonly status: number
  readonly hint: string | undefined
  readonly problems: readonly ProblemRow[]

  constructor(status: number, { error, hint, problems = [] }: ErrorAnswer) {
    super(error)
    this.name = 'Refused'
    this.status = status
    this.hint = hint
    this.problems = problems
  }
}

interface Asking {
  readonly method?: string
  readonly body?: unknown
  /** It changes something: said once, though nobody should answer. */
  readonly changes?: boolean
}

export async function ask<T>(path: string, { method = 'GET', body, changes = false }: Asking = {}): Promise<T> {
  const once = () =>
    fetch(path, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    })
  // a browser ends what is under way when an interface of its machine comes or goes, as containers make them
  const response = await once()
    .catch(error => (changes ? Promise.reject(error) : pause().then(once)))
    .catch(() => {
      throw new Refused(0, { error: 'The server does not answer', hint: 'Does "tscompose web" still run?' })
    })
  const answer = (await response.json()) as unknown
  if (!response.ok) throw new Refused(response.status, answer as ErrorAnswer)
  return answer as T
}

function pause(): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, 150))
}

/** What changes something. */
export function tell<T>(path: string, body: unknown, method = 'POST'): Promise<T> {
  return ask<T>(path, { method, body, changes: true })
}

/** A question that has a body, and changes nothing. */
export function inquire<T>(path: string, body: unknown): Promise<T> {
  return ask<T>(path, { method: 'POST', body })
}

/** `/api/stacks/NAME/…`. */
export function ofStack(stack: string, rest: string): string {
  return `/api/stacks/${encodeURIComponent(stack)}/${rest}`
}
