/** The X-Registry-Auth header to credentials. */
import { z } from 'zod'
import { Failure } from '../../lib/failure.ts'

/** Credentials for one registry: a name and password, an identity (refresh) token, or a bearer token to send as it is. */
export interface RegistryAuth {
  readonly username?: string | undefined
  readonly password?: string | undefined
  readonly identityToken?: string | undefined
  readonly registryToken?: string | undefined
  /** The registry they are for, as the client wrote it; any when it did not say. */
  readonly server?: string | undefined
}

const schema = z.looseObject({
  username: z.string().nullish(),
  password: z.string().nullish(),
  auth: z.string().nullish(),
  identitytoken: z.string().nullish(),
  registrytoken: z.string().nullish(),
  serveraddress: z.string().nullish(),
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
  return toAuth(result.data)
}

/** The object that X-Registry-Auth holds for one registry, X-Registry-Config for several, and the body of a login is. */
export function toAuth(found: z.infer<typeof schema>): RegistryAuth | undefined {
  const pair = found.auth ? Buffer.from(found.auth, 'base64').toString('utf8') : ''
  const colon = pair.indexOf(':')
  const auth = {
    username: found.username || (colon > 0 ? pair.slice(0, colon) : undefined),
    password: found.password || (colon > 0 ? pair.slice(colon + 1) : undefined),
    identityToken: found.identitytoken || undefined,
    registryToken: found.registrytoken || undefined,
  }
  if (!Object.values(auth).some(value => value !== undefined)) return undefined
  return { ...auth, ...(found.serveraddress && { server: found.serveraddress }) }
}

/** Whether credentials are meant for a registry ("docker.io" is the hub): those that name another are not shown to it. */
export function isFor(auth: RegistryAuth, domain: string): boolean {
  return auth.server === undefined || serverHost(auth.server) === domain
}

/** The registry that a server address means: "https://index.docker.io/v1/" and its kin are the hub's. */
export function serverHost(address: string): string {
  const host = address.replace(/^https?:\/\//, '').replace(/\/.*$/, '')
  return ['index.docker.io', 'registry-1.docker.io', ''].includes(host) ? 'docker.io' : host
}

/**
 * Decodes X-Registry-Config: credentials by server address, for all that a build pulls.
 * @throws Failure `invalid`; never with the header's content.
 */
export function decodeRegistryConfig(header: string | undefined): (domain: string) => RegistryAuth | undefined {
  if (header === undefined || header === '') return () => undefined
  let data: unknown
  try {
    data = JSON.parse(Buffer.from(header, 'base64url').toString('utf8'))
  } catch {
    throw new Failure('invalid', 'invalid X-Registry-Config header: it should be base64url-encoded JSON')
  }
  // what Go's clients send for none
  if (data === null) return () => undefined
  const result = z.record(z.string(), schema).safeParse(data)
  if (!result.success) throw new Failure('invalid', 'invalid X-Registry-Config header: its members should be objects')
  const all = Object.entries(result.data).map(([server, found]) => {
    const auth = toAuth({ ...found, serveraddress: undefined })
    return [serverHost(server), auth && { ...auth, server }] as const
  })
  return domain => all.find(([host]) => host === domain)?.[1]
}
