/** Whether a registry takes a name and password: `POST /auth`, with Docker's texts. */
import { Failure } from '../../../lib/failure.ts'
import { type RegistryAuth, serverHost } from '../auth.ts'
import { Authorizer } from './authorizer.ts'
import type { RegistrySettings } from './settings.ts'
import { Transport } from './transport.ts'

export interface LoggedIn {
  readonly Status: string
  /** To be kept instead of the password, where the registry gives one; empty otherwise. */
  readonly IdentityToken: string
}

/** @throws Failure `invalid` for an address that is none, `internal` (as Docker has it) when the registry refuses. */
export async function login(settings: RegistrySettings, auth: RegistryAuth, signal: AbortSignal): Promise<LoggedIn> {
  const host = serverHost(auth.server ?? '')
  if (URL.parse(`https://${host}`)?.host !== host.toLowerCase())
    throw new Failure('invalid', `unable to parse server address: "${host.slice(0, 200)}" is no host`)
  const transport = new Transport(settings)
  const api = host === 'docker.io' ? `registry-1.${host}` : host
  const base = new URL(`${await transport.scheme(api, signal)}//${api}/v2/`)
  const authorizer = new Authorizer({ transport, base, auth, scopes: [], name: `registry ${host}` })
  const ask = async () => transport.send(base, { headers: { ...(await authorizer.headers(signal)) }, signal })
  let response = await ask()
  if (response.statusCode === 401 && (await authorizer.challenged(response, undefined, base, signal))) {
    response.resume()
    response = await ask()
  }
  response.resume()
  if (response.statusCode === 200) return { Status: 'Login Succeeded', IdentityToken: authorizer.identityToken ?? '' }
  const status = `${response.statusCode} ${response.statusMessage ?? ''}`.trim()
  throw new Failure('internal', `login attempt to ${base} failed with status: ${status}`)
}
