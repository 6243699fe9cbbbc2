/** Certificates for an engine behind TLS, as Docker's clients find them: ca.pem, cert.pem and key.pem in DOCKER_CERT_PATH, or with a context. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf, Failure, messageOf } from '../lib/failure.ts'

/** What the environment says of TLS; nothing is read yet. */
export interface Tls {
  /** Where the certificates are, absolute. */
  readonly folder: string
  /** Whether the engine has to prove who it is. */
  readonly verify: boolean
  /** Without ca.pem it may be any authority that this machine trusts; otherwise ca.pem is needed. */
  readonly authority?: 'any'
}

/** For `https.request`. */
export interface TlsContext {
  readonly ca: Buffer | undefined
  readonly cert: Buffer | undefined
  readonly key: Buffer | undefined
  readonly rejectUnauthorized: boolean
  readonly minVersion: 'TLSv1.2'
}

/** DOCKER_TLS_VERIFY, DOCKER_TLS and DOCKER_CERT_PATH; undefined where TLS was not asked for. */
export function tlsOf(env: Readonly<Record<string, string | undefined>>): Tls | undefined {
  const verify = Boolean(env['DOCKER_TLS_VERIFY'])
  if (!verify && !env['DOCKER_TLS']) return undefined
  return { folder: env['DOCKER_CERT_PATH'] || join(env['HOME'] ?? '/', '.docker'), verify }
}

/** @throws Failure `invalid` for a file that is needed and cannot be read. */
export function readTls({ folder, verify, authority }: Tls): TlsContext {
  const read = (name: string, needed: boolean): Buffer | undefined => {
    const path = join(folder, name)
    try {
      return readFileSync(path)
    } catch (cause) {
      if (!needed && errnoOf(cause) === 'ENOENT') return undefined
      throw new Failure('invalid', `Cannot use TLS: "${path}": ${errnoOf(cause) ?? messageOf(cause)}`, {
        hint: 'DOCKER_CERT_PATH, or a context of docker, names the folder of ca.pem, cert.pem and key.pem',
        cause,
      })
    }
  }
  const cert = read('cert.pem', false)
  return {
    ca: read('ca.pem', verify && authority !== 'any'),
    cert,
    key: read('key.pem', cert !== undefined),
    rejectUnauthorized: verify,
    minVersion: 'TLSv1.2',
  }
}
