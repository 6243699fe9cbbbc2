/** The X-Registry-Auth header to credentials. */
import { z } from 'zod'
import { Failure } from '../../lib/failure.ts'

/** Credentials for one registry: a name and password, an identity (refresh) token, or a bearer token to send as it is. */
export interface RegistryAuth {
  readonly username?: string | undefined
  readonly password?: string | undefined
  readonly identityToken?: string | undefined
  readonly registryToken?: string | undefined
}

const schema = z.looseObject({
  username: z.string().nullish(),
  password: z.string().nullish(),
  auth: z.string().nullish(),
  identitytoken: z.string().nullish(),
  registrytoken: z.string().nullish(),
})

/**
 * Decodes base64url JSON; undefined when absent, empty or `{}`.
 * @throws Failure `invalid`; never with the header's content, which is a secret.
 */
export function decodeRegistryAuth(header: string | undefined): RegistryAuth | undefined {
  if (header === undefined || header === '') return undefined
  let data: unknown
  try {
    data = JSON.parse(Buffer.from(header, 'base64url').toString('utf8'))
  } catch {
    // the cause would quote the secret
    throw new Failure('invalid', 'invalid X-Registry-Auth header: it should be base64url-encoded JSON')
  }
  const result = schema.safeParse(data)
  if (!result.success) throw new Failure('invalid', 'invalid X-Registry-Auth header: its members should be strings')
  const found = result.data
  const pair = found.auth ? Buffer.from(found.auth, 'base64').toString('utf8') : ''
  const colon = pair.indexOf(':')
  const auth: RegistryAuth = {
    username: found.username || (colon > 0 ? pair.slice(0, colon) : undefined),
    password: found.password || (colon > 0 ? pair.slice(colon + 1) : undefined),
    identityToken: found.identitytoken || undefined,
    registryToken: found.registrytoken || undefined,
  }
  return Object.values(auth).some(v => v !== undefined) ? auth : undefined
}
