/** The JSON that pages ask for: a narrow interface of its own, and no way through to the engine's. */
import type { ServerResponse } from 'node:http'
import type { z } from 'zod'
import { Failure } from '../lib/failure.ts'
import { answerJson } from './answer-json.ts'

export interface Asked {
  readonly method: string
  readonly url: URL
  readonly body: unknown
  readonly response: ServerResponse
}

export interface Question<Body = unknown> {
  /** Of the path, by the names in its pattern. */
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly body: Body
  readonly response: ServerResponse
}

/** What was answered by the route itself. */
export const answered = Symbol('answered')

export interface Route {
  /** "GET /api/stacks/{stack}/files". */
  readonly pattern: string
  /** It changes something: not in a view that only shows. */
  readonly changes: boolean
  run(question: Question): Promise<unknown>
}

export function read(pattern: `GET ${string}`, run: (question: Question<undefined>) => Promise<unknown>): Route {
  return { pattern, changes: false, run: question => run({ ...question, body: undefined }) }
}

/** A question with a body: something that changes nothing, or does. */
export function post<Body>(
  pattern: `POST ${string}` | `PUT ${string}`,
  { body: schema, changes }: { readonly body: z.ZodType<Body>; readonly changes: boolean },
  run: (question: Question<Body>) => Promise<unknown>,
): Route {
  return {
    pattern,
    changes,
    async run(question) {
      const parsed = schema.safeParse(question.body)
      if (!parsed.success)
        throw new Failure('invalid', `Cannot take this: ${parsed.error.issues.map(each => each.message).join(', ')}`)
      return await run({ ...question, body: parsed.data })
    },
  }
}

export class Routes {
  readonly #routes: readonly (Route & { readonly parts: readonly string[]; readonly method: string })[]
  readonly #readOnly: boolean

  constructor(routes: readonly Route[], { readOnly }: { readonly readOnly: boolean }) {
    this.#readOnly = readOnly
    this.#routes = routes.map(route => {
      const [method, path] = route.pattern.split(' ') as [string, string]
      return { ...route, run: route.run, method, parts: path.split('/') }
    })
  }

  async answer({ method, url, body, response }: Asked): Promise<void> {
    const parts = url.pathname.split('/')
    const matching = this.#routes.flatMap(route => {
      const params = paramsOf(route.parts, parts)
      return params ? [{ route, params }] : []
    })
    const found = matching.find(({ route }) => route.method === method)
    if (!found) throw new Failure('not-found', `There is no ${method} ${url.pathname}`)
    const { route, params } = found
    if (route.changes && this.#readOnly)
      throw new Failure('denied', 'This view only shows: it was started with --read-only')
    const result = await route.run({ params, query: url.searchParams, body, response })
    if (result !== answered) answerJson(response, 200, result)
  }
}

function paramsOf(pattern: readonly string[], parts: readonly string[]): Record<string, string> | undefined {
  if (pattern.length !== parts.length) return undefined
  const params: Record<string, string> = {}
  for (const [at, part] of pattern.entries()) {
    const name = /^\{(\w+)\}$/.exec(part)?.[1]
    if (name === undefined) {
      if (part !== parts[at]) return undefined
    } else {
      try {
        params[name] = decodeURIComponent(parts[at]!)
      } catch {
        // no text: nothing has such a name
        return undefined
      }
    }
  }
  return params
}
