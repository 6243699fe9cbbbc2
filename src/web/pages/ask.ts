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

export async function ask<T>(path: string, { method = 'GET', body }: { method?: string; body?: unknown } = {}) {
  let response: Response
  try {
    response = await fetch(path, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    })
  } catch {
    throw new Refused(0, { error: 'The server does not answer', hint: 'Does "tscompose web" still run?' })
  }
  const answer = (await response.json()) as unknown
  if (!response.ok) throw new Refused(response.status, answer as ErrorAnswer)
  return answer as T
}

export function tell<T>(path: string, body: unknown, method = 'POST'): Promise<T> {
  return ask<T>(path, { method, body })
}

/** `/api/stacks/NAME/…`. */
export function ofStack(stack: string, rest: string): string {
  return `/api/stacks/${encodeURIComponent(stack)}/${rest}`
}
