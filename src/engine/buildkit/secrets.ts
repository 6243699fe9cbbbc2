/** Secrets, credentials and the SSH agent of a client, asked for over its session. */
import { auth, secrets } from '../../api/buildkit/session-services.ts'
import { Failure, isFailure } from '../../lib/failure.ts'
import type { RegistryAuth } from '../images/auth.ts'
import type { ClientSession } from './sessions.ts'

/** What Docker's clients limit themselves to. */
const largestSecret = 500 * 1024
const patience = 60_000

/** @throws Failure `not-found` when the client has none of that id. */
export async function secretOf(session: ClientSession, id: string, signal: AbortSignal): Promise<Buffer> {
  if (!session.serves(secrets.getSecret.path)) throw new Failure('not-found', `secret ${id}: not found`)
  try {
    const { data } = await session.grpc.call(secrets.getSecret, { id }, { signal, timeout: patience })
    if (data.length > largestSecret)
      throw new Failure(
        'invalid',
        `Cannot take secret "${id}": it has ${data.length} bytes, ${largestSecret} is the most`,
      )
    return Buffer.from(data)
  } catch (error) {
    if (isFailure(error, 'not-found')) throw new Failure('not-found', `secret ${id}: not found`, { cause: error })
    throw error
  }
}

/** What the client has for a registry's host; undefined when it has nothing, or tells nobody. */
export async function credentialsOf(
  session: ClientSession,
  host: string,
  signal: AbortSignal,
): Promise<RegistryAuth | undefined> {
  if (!session.serves(auth.credentials.path)) return undefined
  // clients look for the hub's under the host that serves it
  const asked = host === 'docker.io' ? `registry-1.${host}` : host
  try {
    const { username, secret } = await session.grpc.call(
      auth.credentials,
      { host: asked },
      { signal, timeout: patience },
    )
    if (secret === '') return undefined
    // a user name that is empty marks an identity token
    return username === '' ? { identityToken: secret } : { username, password: secret }
  } catch (error) {
    if (isFailure(error, 'unsupported') || isFailure(error, 'not-found')) return undefined
    throw error
  }
}
