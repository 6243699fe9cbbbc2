/** What a registry says is wrong, as a failure in Docker's words, which its clients match. */
import type { IncomingMessage } from 'node:http'
import { z } from 'zod'
import { Failure, isFailure } from '../../../lib/failure.ts'
import { readBody } from './transport.ts'

const errorsSchema = z.looseObject({
  errors: z.array(z.looseObject({ code: z.string(), message: z.string().optional() })).min(1),
})

export interface Asked {
  /** "registry 127.0.0.1:5000". */
  readonly name: string
  readonly action: 'pull' | 'push' | 'log in'
  /** "127.0.0.1:5000/app", of a pull or push. */
  readonly repository?: string
  /** A tag or digest. */
  readonly which?: string
}

export async function replyFailure(response: IncomingMessage, asked: Asked): Promise<Failure> {
  const { name, action, repository = '' } = asked
  const status = response.statusCode!
  const error = await errorOf(response, name)
  const code = error?.code ?? ''
  const text = shown(`${code.toLowerCase().replaceAll('_', ' ')}: ${error?.message ?? code}`)
  const detail = error
    ? text
    : `received unexpected HTTP status: ${status} ${shown(response.statusMessage ?? '')}`.trim()
  if (action === 'push' || action === 'log in') {
    // what the registry says is all there is to say
    if (status === 401) return new Failure('denied', error ? text : 'unauthorized: authentication required')
    if (status === 403)
      return new Failure('denied', error ? text : 'denied: requested access to the resource is denied')
    const what = action === 'push' ? `push "${repository}" to` : 'log in to'
    return new Failure(status === 404 ? 'not-found' : 'unavailable', `Cannot ${what} ${name}: ${detail}`)
  }
  if (code === 'MANIFEST_UNKNOWN' || (status === 404 && code === '')) return unknownManifest(asked)
  if (code === 'NAME_UNKNOWN' || status === 401 || status === 403) {
    const why = code === '' ? '' : `: ${text}`
    const message = `pull access denied for ${repository}, repository does not exist or may require 'docker login'${why}`
    return new Failure('not-found', message)
  }
  if (status === 404)
    return new Failure('not-found', `Cannot pull "${repository}": ${name} has no "${asked.which}": ${text}`)
  return new Failure('unavailable', `Cannot pull "${repository}" from ${name}: ${detail}`)
}

function unknownManifest({ repository = '', which = '' }: Asked): Failure {
  const full = `${repository}${which.startsWith('sha256:') ? '@' : ':'}${which}`
  return new Failure('not-found', `manifest for ${full} not found: manifest unknown: manifest unknown`)
}

async function errorOf(response: IncomingMessage, name: string) {
  let body: Buffer
  try {
    body = await readBody(response, { limit: 64 * 1024, from: name })
  } catch (error) {
    if (isFailure(error, 'cancelled')) throw error
    return undefined // the status alone says enough
  }
  try {
    return errorsSchema.safeParse(JSON.parse(body.toString('utf8'))).data?.errors[0]
  } catch {
    return undefined // an HTML error page, say: the status is reported instead
  }
}

/** What a registry wrote goes to a terminal: no more than a line, and no control characters. */
function shown(text: string): string {
  return [...text.slice(0, 500)].map(char => (char < ' ' || (char >= '\x7f' && char < '\xa0') ? ' ' : char)).join('')
}
