/** One HTTP request to the web view: who may ask, what is asked for, and the answer with the headers that keep a page to itself. */
import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { errorReply, statusOf } from '../api/status.ts'
import { Failure, isFailure, messageOf } from '../lib/failure.ts'
import { ProblemsFailure } from '../lib/problems.ts'
import { answerJson, end } from './answer-json.ts'
import { bodyOf, type Pages } from './assets.ts'
import { firstPage, loginPage } from './first-page.ts'
import { cookieOf, placeOf, refusal } from './guard.ts'
import { problemRows } from './problem-rows.ts'
import { report } from './report.ts'
import type { Routes } from './routes.ts'
import type { Sessions } from './sessions.ts'
import type { ErrorAnswer } from './wire.ts'

export interface Answering {
  readonly pages: Pages
  readonly sessions: Sessions
  readonly routes: Routes
  readonly readOnly: boolean
  /** Names besides addresses under which it is asked. */
  readonly names: readonly string[]
  /** Of its session; ports share cookies, so each has a name of its own. */
  readonly cookie: string
}

/** Bytes of a body. */
const longest = 2 * 1024 * 1024

const always = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
} as const

/** No script or style but ours, nothing from elsewhere, in nobody's frame. `nonce`: for style elements that libraries make. */
export function policy(nonce: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "connect-src 'self'",
    "font-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}

export function isKnown(request: IncomingMessage, { sessions, cookie }: Answering): boolean {
  return sessions.knows(cookieOf(request.headers.cookie, cookie))
}

export async function answer(request: IncomingMessage, response: ServerResponse, given: Answering): Promise<void> {
  for (const [name, value] of Object.entries(always)) response.setHeader(name, value)
  response.setHeader('content-security-policy', policy('none'))
  const method = request.method ?? 'GET'
  const refused = refusal({ method, headers: request.headers }, given.names)
  if (refused !== undefined) return end(response, 403, 'text/plain', `${refused}\n`)
  const url = placeOf(request.url)
  if (!url) return end(response, 400, 'text/plain', 'This is no address\n')
  if (method === 'GET' && url.pathname === '/login') return login(url, response, given)
  if (!isKnown(request, given)) {
    if (method === 'GET' && !url.pathname.startsWith('/api/') && !url.pathname.startsWith('/assets/'))
      return end(response, 401, 'text/html', loginPage())
    return answerJson(response, 401, { error: 'Not logged in', hint: 'Open the address that "tscompose web" prints' })
  }
  try {
    await answerKnown(request, response, { ...given, url, method })
  } catch (error) {
    if (response.headersSent) response.destroy()
    else answerJson(response, statusOf(error), errorAnswer(error))
    if (!isFailure(error)) report(error)
  }
}

async function answerKnown(
  request: IncomingMessage,
  response: ServerResponse,
  given: Answering & { readonly url: URL; readonly method: string },
): Promise<void> {
  const { pages, routes, url, method } = given
  const asset = pages.files.get(url.pathname)
  if (asset && method === 'GET') {
    // its name is of its content
    response.setHeader('cache-control', 'public, max-age=31536000, immutable')
    const accepts = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''))
    if (accepts) response.setHeader('content-encoding', 'gzip')
    return end(response, 200, asset.type, bodyOf(asset, accepts))
  }
  response.setHeader('cache-control', 'no-store')
  if (url.pathname.startsWith('/api/')) {
    const isReading = method === 'GET'
    if (!isReading && !/^application\/json\b/.test(request.headers['content-type'] ?? ''))
      throw new Failure('invalid', 'Cannot take a body that is no JSON')
    const body = isReading ? undefined : await bodyJson(request)
    return await routes.answer({ method, url, body, response })
  }
  if (method !== 'GET' || url.pathname.includes('.')) throw new Failure('not-found', 'There is nothing of that name')
  const nonce = randomBytes(16).toString('base64')
  response.setHeader('content-security-policy', policy(nonce))
  end(response, 200, 'text/html', firstPage({ ...pages, nonce }))
}

/** A page that goes on by itself: a cookie that is strict would not be sent with a redirect that a link from elsewhere began. */
function login(url: URL, response: ServerResponse, { sessions, cookie }: Answering): void {
  response.setHeader('cache-control', 'no-store')
  const session = sessions.exchange(url.searchParams.get('token') ?? '')
  if (session === undefined) {
    end(response, 401, 'text/html', loginPage())
    return
  }
  response.setHeader('set-cookie', `${cookie}=${session}; HttpOnly; SameSite=Strict; Path=/`)
  end(response, 200, 'text/html', loginPage({ isIn: true }))
}

async function bodyJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > longest) throw new Failure('invalid', `Cannot take a body of more than ${longest / 1024 / 1024} MiB`)
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch (cause) {
    throw new Failure('invalid', 'Cannot take a body that is no JSON', { cause })
  }
}

export function errorAnswer(error: unknown): ErrorAnswer {
  const { hint } = errorReply(error)
  return {
    error: messageOf(error),
    ...(hint !== undefined && { hint }),
    ...(error instanceof ProblemsFailure && { problems: problemRows(error.problems) }),
  }
}
